/// A file that other programs run.
public enum FileFormat: String, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  case onnx
  case tensorFlowLite = "tflite"

  /// The format that a file's name asks for by its ending; nil where it ends otherwise.
  public init?(ofFile path: String) {
    guard let format = Self.allCases.first(where: { path.lowercased().hasSuffix(".\($0.rawValue)") }) else {
      return nil
    }
    self = format
  }

  public var description: String {
    switch self {
    case .onnx: "ONNX"
    case .tensorFlowLite: "TensorFlow Lite"
    }
  }
}
