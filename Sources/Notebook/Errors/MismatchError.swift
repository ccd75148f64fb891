internal import Script
internal import Tensors

/// Values that do not go together, each fine by itself.
enum MismatchError: Error, Hashable, Sendable {
  case classes(network: String, has: Int, data: String, wants: Int)
  case images(network: String, takes: Shape, data: String, has: Shape)
  /// A network whose weights fit one size of images only.
  case oneSize(network: String, takes: Shape, data: String, has: Shape, reason: String)
  /// An array that is no image or batch of images for a network.
  case array(network: String, takes: Shape, has: Shape)
  /// A folder of the way to a file cannot be made.
  case noFolder(path: String, reason: String)
}

extension MismatchError: ExplainedError {
  var problem: String {
    switch self {
    case .classes(let network, let has, let data, let wants):
      "\(network) has outputs for \(has) classes, \(data) has \(wants)"
    case .images(let network, let takes, let data, let has):
      "\(network) is built for images of \(takes), \(data) has images of \(has)"
    case .oneSize(let network, let takes, let data, let has, let reason):
      "\(network) takes only images of \(takes), \(data) has images of \(has) (\(reason))"
    case .array(let network, let takes, let has):
      "\(network) takes an image of \(takes) or a batch of such images; the array is \(has)"
    case .noFolder(let path, let reason): "cannot create the folder of '\(path)': \(reason)"
    }
  }

  var hint: String? {
    switch self {
    case .classes: "build the network with classes: data.classes"
    case .images(_, _, _, let has): "build the network with input: [\(list(has))]"
    case .oneSize(_, let takes, _, _, _):
      "load the images in that size: size: \(takes[1]), and for imagenet() testSize: \(takes[1])"
    case .array(_, let takes, _): "array(numbers, shape: [1, \(list(takes))])"
    case .noFolder: "choose another path"
    }
  }

  private func list(_ shape: Shape) -> String { shape.extents.map(String.init).joined(separator: ", ") }
}
