public import Charts
public import Datasets
public import Engine
public import Interchange
public import Networks
public import Script
public import Tensors
public import Training

// The other modules' errors in the words of somebody who writes a script. They know their facts; what to do about
// them is known here.

extension TensorError: ExplainedError {
  public var problem: String { description }

  public var hint: String? {
    switch self {
    case .outOfMemory: "use a smaller batch, a smaller network or smaller images"
    case .wrongElementCount: "the product of the extents must be the number of elements"
    case .file(_, let reason) where reason == "No space left on device" || reason == "Disk quota exceeded":
      "free space on the disk; the old file is unchanged"
    case .file: nil
    case .malformed: "the copy or the download may be incomplete"
    case .unsupportedElementType: "save it as 32-bit floats"
    }
  }

  public var isMissingData: Bool { false }
}

extension ShapeError: ExplainedError {
  public var problem: String { description }
  public var hint: String? { layer == nil ? nil : "give the network images that are large enough, with input:" }
  public var isMissingData: Bool { false }
}

extension WeightError: ExplainedError {
  public var problem: String { description }

  public var hint: String? {
    switch self {
    case .missing, .extra: "these weights belong to another network; show(network) lists its layers"
    case .wrongShape: "build the network with the classes: and input: of the run that made the weights"
    case .notFinite: "the training run diverged: train again with a smaller lr"
    }
  }

  public var isMissingData: Bool { false }
}

extension EngineError: ExplainedError {
  public var problem: String { description }

  public var hint: String? {
    switch self {
    case .library: "run it again with --threads 1; if it happens again, report it as a fault"
    case .outOfMemory, .initialization: "use a smaller batch, a smaller network or smaller images"
    case .sumsTooLarge(let layer): "keep it in float32: quantize(…, exclude: [\"\(layer)\"])"
    case .shape(let error): error.hint
    case .weights(let error): error.hint
    case .wrongInput: "build the network with input: of that shape"
    case .emptyBatch: "use a batch of at least 1"
    case .inputNotFinite: "look for nan and inf in the data and in its normalization"
    case .notFinite: "the training run diverged: train again with a smaller lr"
    case .noWeights: nil
    case .noThread: "raise the limit on processes (ulimit -u), or of memory"
    case .precision: "precision: \"float32\" works on every processor"
    case .quantizedPrecision: "leave out precision:"
    case .interrupted: nil
    }
  }

  public var isMissingData: Bool { false }
  public var isInterruption: Bool { meansInterruption }
}

extension DatasetError: ExplainedError {
  public var problem: String { description }
  public var isInterruption: Bool { meansInterruption }
}

extension TrainingError: ExplainedError {
  public var problem: String { description }
  public var isInterruption: Bool { meansInterruption }
}

extension ChartError: ExplainedError {
  public var problem: String { description }

  public var hint: String? {
    switch self {
    case .size, .drawing: "choose a smaller width and height"
    case .crowded: "choose a larger width and height, or draw fewer curves"
    case .tooMuch(.bins, _, _): "choose fewer with bins:"
    case .tooMuch(.pictures, _, _), .tooMuch(.pictureBytes, _, _): "choose fewer with count:, or smaller images"
    case .tooMuch: "draw a part of it"
    case .textChunk, .notPNG, .noChart: nil
    case .unwritable(let error): error.hint
    }
  }

  public var isMissingData: Bool { false }
}

extension WeightsFile.Kind {
  /// How weights in such a file become readable.
  fileprivate var hint: String? {
    switch self {
    case .safetensors, .onnx, .pyTorch, .tensorFlowLite: nil
    case .keras, .hdf5, .npz, .gguf: "write the arrays under torchvision's names, with safetensors.numpy.save_file"
    case .npy: "readArray(\"a.npy\") reads it"
    case .gzip, .zip: "unpack it"
    case .page: "the download answered with a page: fetch the file itself"
    case .pointer: "git lfs pull"
    case .empty: "the copy or the download may be incomplete"
    }
  }
}

extension PyTorchError {
  fileprivate var hint: String? {
    switch self {
    case .file(let error): error.hint
    case .refused: "where you trust the file, in Python: torch.save(model.state_dict(), \"weights.pth\")"
    case .entry(_, _, let found):
      found.first.map { "entry: \"\($0)\"" } ?? "in Python: torch.save(model.state_dict(), \"weights.pth\")"
    case .program: "in Python: torch.save(torch.jit.load(\"m.pt\").state_dict(), \"weights.pth\")"
    }
  }
}

extension InterchangeError: ExplainedError {
  public var problem: String { description }

  public var hint: String? {
    switch self {
    case .unsupported(_, _, .tensorFlowLite, _): "export(model, to: \"model.onnx\") may support it"
    case .unsupported: nil
    case .weights(.notFinite): "train again with a smaller lr; allowNonFinite: true writes a network of floats as it is"
    case .weights(let error): error.hint
    case .pyTorch(let error): error.hint
    case .noEntries: "leave out entry:"
    case .notWeights(_, let kind): kind.hint
    case .structure(.ambiguous): "give the layers of the file the network's names, or use a safetensors file"
    case .structure(.differs): "the file computes another network, however alike: make one with its paddings and options"
    case .structure: "make the network with the classes:, input: and options that the file was made with"
    case .quantizedWeights: "save(model, to: \"model.safetensors\") keeps the weights as they are"
    case .shape(let error): error.hint
    case .description: "pass the dataset that the model was trained on"
    case .tooLarge: "choose a smaller network"
    case .notAsMeant: "report it as a fault"
    case .file(let error): error.hint
    }
  }

  public var isMissingData: Bool { false }
}
