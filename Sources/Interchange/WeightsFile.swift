public import Networks
public import Tensors

/// Weights in a file: safetensors, PyTorch's, ONNX or TensorFlow Lite, whatever the file is called.
public enum WeightsFile {
  /// What the first bytes of a file say that it is.
  public enum Kind: String, Hashable, Sendable {
    case safetensors = "safetensors"
    case onnx = "ONNX"
    case tensorFlowLite = "TensorFlow Lite (.tflite)"
    case pyTorch = "PyTorch's own format (.pth, .pt)"
    case keras = "Keras 3 (.keras)"
    case hdf5 = "HDF5 (.h5), as older Keras writes"
    case npy = "NumPy's .npy, which holds one array"
    case npz = "NumPy's .npz"
    case gguf = "GGUF"
    case gzip = "gzip"
    case zip = "a zip archive"
    case page = "a web page"
    case pointer = "a pointer of Git LFS, not the file itself"
    case empty = "empty"
  }

  /// Weights, and where in the file they stood.
  public struct Found: Hashable, Sendable {
    /// The network that they are for: the one they were asked for, or that with its batch norms folded.
    public var network: Network
    public var weights: Weights
    /// Where each came from, where the file's names were foreign and layers were paired by structure; else empty.
    public var sources: [WeightSource] = []
    /// Whether the file's batch norms are folded into convolutions, and so those of `network`.
    public var isFolded = false
    /// What stood before each name and was taken off, as `Network.withoutPrefix(_:)` does.
    public var prefix = ""
    /// The entry of a checkpoint that was taken, and the others that hold weights; empty where the file is no checkpoint.
    public var entry = ""
    public var otherEntries: [String] = []
  }

  /// Reads a file's weights for a network.
  /// - Parameters:
  ///   - entry: which entry of a checkpoint; without it, as `PyTorchWeights` chooses.
  ///   - renamed: gives the weights the network's names.
  /// - Throws: `InterchangeError`: `.file`, `.pyTorch`, `.noEntries`, `.notWeights`, `.weights`, `.structure`,
  ///   `.quantizedWeights`, `.shape`.
  public static func read(
    _ path: String, for network: Network, entry: String? = nil, renamed: (Weights) -> Weights = { $0 }
  ) throws(InterchangeError) -> Found {
    var prefix = ""
    func named(_ weights: Weights) -> Weights {
      let (weights, found) = network.withoutPrefix(weights)
      prefix = found
      return renamed(weights)
    }
    let kind: Kind?
    do { kind = try self.kind(of: path) } catch { throw .file(error) }
    let known = kind ?? (FileFormat(ofFile: path) == .onnx ? .onnx : .safetensors)
    guard entry == nil || known == .pyTorch else { throw .noEntries(path: path) }
    switch known {
    case .safetensors:
      let weights: Weights
      do { weights = try SafeTensors(reading: path).weights } catch { throw .file(error) }
      do { return Found(network: network, weights: try network.checked(named(weights)), prefix: prefix) } catch {
        throw .weights(error)
      }
    case .pyTorch:
      let file: PyTorchWeights
      do { file = try PyTorchWeights(reading: path, entry: entry) } catch { throw .pyTorch(error) }
      let weights: Weights
      do { weights = try network.checked(named(file.weights)) } catch { throw .weights(error) }
      return Found(
        network: network, weights: weights, prefix: prefix, entry: file.entry, otherEntries: file.otherEntries)
    case .onnx:
      let file: ONNXWeights
      do { file = try ONNXWeights(reading: path) } catch { throw .file(error) }
      var found = try file.found(for: network, renamed: named)
      if found.sources.isEmpty { found.prefix = prefix }
      return found
    case .tensorFlowLite:
      let bytes: [UInt8]
      // What its offsets can address.
      do { bytes = try readFile(path, limit: 1 << 31) } catch { throw .file(error) }
      let (graph, isQuantized): (WeightGraph, Bool)
      do { (graph, isQuantized) = try WeightGraph.reading(tflite: bytes) } catch {
        throw .file(.malformed(path: path, problem: error.text))
      }
      guard !isQuantized else { throw .quantizedWeights }
      return try graph.found(for: network)
    case let other: throw .notWeights(path: path, other)
    }
  }

  /// The kind of a file by its first bytes, whatever it is called; nil where they tell nothing.
  /// - Throws: `TensorError.file` where it cannot be read.
  public static func kind(of path: String) throws(TensorError) -> Kind? {
    let file = try InputFile(path)
    return kind(ofHead: try file.bytes(at: 0, count: min(file.byteCount, 256)))
  }

  static func kind(ofHead head: [UInt8]) -> Kind? {
    func stands(_ text: String, at place: Int = 0) -> Bool { head.dropFirst(place).starts(with: text.utf8) }
    if head.isEmpty { return .empty }
    if stands("TFL3", at: 4) { return .tensorFlowLite }
    if head.starts(with: [0x89] + Array("HDF\r\n\u{1A}\n".utf8)) { return .hdf5 }
    if head.starts(with: [0x93] + Array("NUMPY".utf8)) { return .npy }
    if stands("GGUF") { return .gguf }
    if stands("version https://git-lfs") { return .pointer }
    if head.starts(with: [0x1F, 0x8B]) { return .gzip }
    // The length of a safetensors header takes eight bytes; no header is so long that the last of them counts.
    if head.count > 8, head[8] == UInt8(ascii: "{"), head[7] == 0 { return .safetensors }
    if stands("PK\u{3}\u{4}"), head.count > 30 {
      let length = Int(head[26]) | Int(head[27]) << 8
      let name = String(decoding: head[30..<min(30 + length, head.count)], as: UTF8.self)
      if name.hasSuffix(".npy") { return .npz }
      if ["metadata.json", "config.json", "model.weights.h5"].contains(name) { return .keras }
      // Each entry stands below a folder called as the file was.
      if name.contains("/") { return .pyTorch }
      return .zip
    }
    // Before 1.6 PyTorch wrote Python's pickles, which begin with the mark and version of their protocol.
    if head.count > 2, head[0] == 0x80, (2...5).contains(head[1]) { return .pyTorch }
    let text = String(decoding: head, as: UTF8.self).drop(while: \.isWhitespace).lowercased()
    if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") { return .page }
    // A ModelProto begins with its version, a small number in field 1, then the name of who wrote it, its graph or more.
    if head.count > 2, head[0] == 0x08, head[1] < 0x40, [0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42].contains(head[2]) {
      return .onnx
    }
    return nil
  }
}
