/// What can go wrong with arrays and the files that hold them.
public enum TensorError: Error, Hashable, Sendable {
  case outOfMemory(byteCount: Int)
  case wrongElementCount(shape: Shape, elements: Int)
  /// A file that could not be opened, read or written; `reason` is the system's own words.
  case file(path: String, reason: String)
  /// A file that is not what its name or first bytes promise.
  case malformed(path: String, problem: String)
  case unsupportedElementType(path: String, name: String)
}

extension TensorError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .outOfMemory(let byteCount): "no memory for \(Self.amount(byteCount))"
    case .wrongElementCount(let shape, let elements):
      "a shape of \(shape) has \(shape.elementCount) elements, \(elements) were given"
    case .file(let path, let reason): "\(path): \(reason)"
    case .malformed(let path, let problem): "\(path): \(problem)"
    case .unsupportedElementType(let path, let name): "\(path): elements of type \(name) cannot be read"
    }
  }
}

extension TensorError {
  /// A number of bytes in a unit that leaves few digits: `2714 GiB`.
  package static func amount(_ byteCount: Int) -> String {
    var (count, unit) = (byteCount, "bytes")
    for larger in ["KiB", "MiB", "GiB"] where count >= 10_240 {
      count = count / 1024 + count % 1024 / 512
      unit = larger
    }
    return "\(count) \(unit)"
  }
}
