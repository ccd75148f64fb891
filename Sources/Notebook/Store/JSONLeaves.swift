internal import Foundation
internal import Tensors

extension JSONText {
  /// Every leaf of a document, by its path: `plan.learningRate`.
  static func leaves(_ text: String) -> [String: String] {
    guard let root = try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed) else { return [:] }
    var leaves: [String: String] = [:]
    func walk(_ value: Any, _ path: String) {
      switch value {
      case let fields as [String: Any]:
        if fields.isEmpty { leaves[path] = "{}" }
        for (name, field) in fields { walk(field, path.isEmpty ? name : "\(path).\(name)") }
      case let list as [Any]:
        if list.isEmpty { leaves[path] = "[]" }
        for (index, element) in list.enumerated() { walk(element, "\(path)[\(index)]") }
      default: leaves[path] = "\(value)"
      }
    }
    walk(root, "")
    return leaves
  }
}
