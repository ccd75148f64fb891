import ArgumentParser
import Foundation

/// A folder of its own for files that nobody keeps. Whoever makes it removes it.
enum ScratchFolder {
  /// - Throws: `ExitCode` where there is no place for it.
  static func make() throws -> String {
    let place = FileManager.default.temporaryDirectory.path
    var name = Array("\(place)/reprise-apart-XXXXXX".utf8CString)
    guard mkdtemp(&name) != nil else {
      let reason = String(cString: strerror(errno))
      Streams.writeError("reprise: no folder for temporary files can be made in \(place): \(reason)\n")
      Streams.writeError("  hint: TMPDIR names another place for them\n")
      throw ExitCode(Status.runtime)
    }
    return String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
