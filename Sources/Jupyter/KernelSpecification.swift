internal import Foundation
internal import Tensors

/// What tells Jupyter of the kernel: a folder with a `kernel.json`.
public enum KernelSpecification {
  /// The folder among a user's data where kernels are looked for.
  ///
  /// Source: Jupyter's documentation, "Common Directories and File Locations".
  public static func folder(_ environment: [String: String]) -> String {
    if let folder = environment["JUPYTER_DATA_DIR"], !folder.isEmpty { return folder + "/kernels/reprise" }
    let data = environment["XDG_DATA_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? (environment["HOME"] ?? NSHomeDirectory()) + "/.local/share"
    return data + "/jupyter/kernels/reprise"
  }

  static func text(program: String) -> [UInt8] {
    let content: JSON = [
      "argv": [.string(program), "jupyter", "run", "{connection_file}"], "display_name": "Reprise", "language": "reprise",
      "interrupt_mode": "message", "metadata": ["debugger": false],
    ]
    return content.bytes(isPretty: true) + Array("\n".utf8)
  }

  /// Writes it.
  /// - Parameters:
  ///   - program: The path of the program that runs the kernel.
  ///   - folder: Made where it is not there.
  /// - Throws: `TensorError.file`.
  public static func install(program: String, in folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try writeAtomically(to: folder + "/kernel.json", bytes: text(program: program))
  }
}
