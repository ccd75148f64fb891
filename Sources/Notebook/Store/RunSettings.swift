internal import Script

/// The settings that a run's result follows from.
enum RunSettings {
  /// Each setting by the path of its name, such as `optimizer.sgd.momentum`: numbers, booleans and strings. A choice that
  /// has no settings of its own is the value of what is chosen: `loss` is `"crossEntropy"`.
  /// - Parameter inputs: those of the run, as JSON.
  static func leaves(of inputs: String) -> [(name: String, value: Value)] {
    guard case .record(let record)? = try? JSONReader.value(of: inputs), case .record(let settings)? = record["settings"] else {
      return []
    }
    var leaves: [(name: String, value: Value)] = []
    func walk(_ value: Value, _ path: String) {
      switch value {
      case .record(let record):
        for (name, field) in record.fields {
          if case .record(let inner) = field, inner.count == 0, !path.isEmpty {
            leaves.append((path, .string(name)))
          } else {
            walk(field, path.isEmpty ? name : "\(path).\(name)")
          }
        }
      case .list(let list):
        if list.elements.isEmpty { leaves.append((path, .string("none"))) }
        for (index, element) in list.elements.enumerated() { walk(element, "\(path)[\(index)]") }
      case .none: break
      default: leaves.append((path, value))
      }
    }
    for (name, value) in settings.fields {
      // A training run's settings are its plan.
      walk(value, name == "plan" ? "" : name)
    }
    return leaves
  }
}
