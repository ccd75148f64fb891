internal import Foundation
internal import Synchronization

/// What the thread that evaluates hands to the thread that owns the sockets.
final class Outbox: Sendable {
  enum Item: Sendable {
    case publish(Message)
    case finished(CellResult)
  }

  /// Readable when there is something.
  let descriptor: Int32
  private let entry: Int32
  private let items = Mutex<[Item]>([])

  init() throws(JupyterError) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw .socket(address: "a pipe", reason: String(cString: strerror(errno))) }
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    (descriptor, entry) = (ends[0], ends[1])
  }
  deinit {
    close(descriptor)
    close(entry)
  }

  func post(_ item: Item) {
    items.withLock { $0.append(item) }
    // A full pipe wakes the reader as well.
    var byte: UInt8 = 1
    _ = write(entry, &byte, 1)
  }

  func take() -> [Item] {
    var bytes = [UInt8](repeating: 0, count: 4096)
    while read(descriptor, &bytes, bytes.count) > 0 {}
    return items.withLock { list in
      defer { list = [] }
      return list
    }
  }
}
