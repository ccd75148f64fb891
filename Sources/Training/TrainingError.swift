public import Datasets
public import Engine
public import Networks
public import Tensors

/// What can stop a training or an evaluation.
public enum TrainingError: Error, Sendable {
  case engine(EngineError)
  case data(DatasetError)
  case tensor(TensorError)
  /// A setting out of its range, in words.
  case plan(String)
  /// The loss, or the gradient of the parameter that is named. Epoch and step count from 1.
  case notFinite(gradient: String?, epoch: Int, step: Int, learningRate: Double)
  case classes(network: Int, data: Int)
  case images(network: Shape, data: Shape)
  case tooFewSamples(count: Int, batchSize: Int)
  /// Repeated samples, whose epoch has a multiple of 256 places, that do not fill one batch.
  case tooFewRepeated(shown: Int, count: Int, batchSize: Int)
  /// The network cannot be changed as the training needs it.
  case network(ShapeError)
  /// A checkpoint that does not belong to this training, in words.
  case checkpoint(String)
  /// Processes that cannot train together so, in words.
  case processes(String)
}

extension TrainingError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .engine(let error): error.description
    case .data(let error): error.description
    case .tensor(let error): error.description
    case .plan(let problem): problem
    case .notFinite(let parameter, let epoch, let step, let rate):
      "\(parameter.map { "the gradient of '\($0)'" } ?? "the loss") is not finite at epoch \(epoch), step \(step) "
        + "(learning rate \(Float(rate)))"
    case .classes(let network, let data): "the network has outputs for \(network) classes, the data has \(data)"
    case .images(let network, let data): "the network takes images of \(network), the data has \(data)"
    case .tooFewSamples(let count, let batchSize): "\(count) training samples do not fill one batch of \(batchSize)"
    case .tooFewRepeated(let shown, let count, let batchSize):
      "with repeated augmentation an epoch of \(count) training samples has \(shown) places, fewer than one batch of \(batchSize)"
    case .network(let error): error.description
    case .processes(let problem): problem
    case .checkpoint(let problem): "the run cannot be resumed from the checkpoint: \(problem)"
    }
  }

  /// What can be done about it.
  public var hint: String? {
    switch self {
    case .data(let error): error.hint
    case .notFinite: "lower the learning rate or add a warm-up"
    case .classes(_, let data): "make it with classes: \(data)"
    case .tooFewSamples(let count, _): "use a batch of at most \(count)"
    case .tooFewRepeated(let shown, _, _): "use a batch of at most \(shown)"
    default: nil
    }
  }

  public var isMissingData: Bool { if case .data(let error) = self { error.isMissingData } else { false } }
}

/// Runs engine work as training does.
func engine<Result>(_ work: () throws(EngineError) -> Result) throws(TrainingError) -> Result {
  do { return try work() } catch { throw .engine(error) }
}

func data<Result>(_ work: () throws(DatasetError) -> Result) throws(TrainingError) -> Result {
  do { return try work() } catch { throw .data(error) }
}
