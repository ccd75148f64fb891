public import Tensors

/// Why a file of PyTorch gave no weights.
public enum PyTorchError: Error, Hashable, Sendable {
  /// A file that could not be read, is cut, or lies about itself.
  case file(TensorError)
  /// Something in the pickle that tensors have no need of: a name, an opcode. Nothing of it was run.
  case refused(path: String, what: String, byte: Int)
  /// No weights where they were looked for; `found` are the entries that hold some.
  case entry(path: String, asked: String?, found: [String])
  /// TorchScript: a program with its weights.
  case program(path: String)
}

extension PyTorchError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .file(let error): "\(error)"
    case .refused(let path, let what, let byte):
      "\(path) holds \(what) at byte \(byte) of its pickle, which no tensor needs: nothing of the file was run or read"
    case .entry(let path, let asked?, let found):
      found.isEmpty
        ? "\(path) has no entry '\(asked)': it holds no tensors by name"
        : "\(path) has no entry '\(asked)' of weights: it has \(Self.list(found))"
    case .entry(let path, nil, let found):
      found.isEmpty ? "\(path) holds no tensors by name" : "\(path) holds several networks' weights: \(Self.list(found))"
    case .program(let path): "\(path) is a TorchScript archive, a program with its weights"
    }
  }

  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(5).map { "'\($0.shown)'" }.joined(separator: ", ")
    return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
  }
}
