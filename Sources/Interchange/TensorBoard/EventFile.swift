internal import Foundation
public import Tensors

/// An event file of TensorBoard, which grows record by record: each reaches the file at once, so that TensorBoard shows it
/// while the run goes on. A process that is killed leaves one unfinished record at most, before which readers stop.
public final class EventFile: Sendable {
  public let path: String
  private let descriptor: Int32

  private static let (prefix, suffix) = ("events.out.tfevents.", ".reprise")

  /// Begins the file of a folder, and removes those that this program wrote there before: the new one says it all again.
  /// - Parameter time: seconds since 1970. The newest file of a folder has the last name.
  /// - Throws: `TensorError.file` with the system's reason.
  public init(in folder: String, at time: Double) throws(TensorError) {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw .file(path: folder, reason: (error as NSError).localizedDescription)
    }
    let older = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter {
      $0.hasPrefix(Self.prefix) && $0.hasSuffix(Self.suffix)
    }
    var place = Int(max(0, time) * 1e6)
    var (name, found) = ("", Int32(-1))
    repeat {
      let (seconds, rest) = place.quotientAndRemainder(dividingBy: 1_000_000)
      name = "\(folder)/\(Self.prefix)\(Self.digits(seconds, 10)).\(Self.digits(rest, 6))\(Self.suffix)"
      place += 1
      found = open(name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o666)
    } while found < 0 && (errno == EEXIST || errno == EINTR)
    guard found >= 0 else { throw .system(name, errno) }
    (path, descriptor) = (name, found)
    for file in older { unlink("\(folder)/\(file)") }
    try add(.version, at: time)
    try add(.start, at: time)
  }

  deinit { close(descriptor) }

  private static func digits(_ number: Int, _ count: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, count - text.count)) + text
  }

  /// Adds a record.
  /// - Parameter time: seconds since 1970.
  /// - Throws: `TensorError.file` with the system's reason, such as a full disk.
  public func add(_ event: TensorBoardEvent, step: Int = 0, at time: Double) throws(TensorError) {
    let record = RecordFrame.framed(event.bytes(step: step, time: time))
    var failure: Int32 = 0
    record.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let part = UnsafeRawBufferPointer(rebasing: rest)
        let count = write(descriptor, part.baseAddress, part.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return failure = count < 0 ? errno : ENOSPC }
        rest = rest.dropFirst(count)
      }
    }
    if failure != 0 { throw .system(path, failure) }
  }
}
