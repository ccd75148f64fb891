import Foundation
import Prompt
import Script
import Synchronization

/// Standard output for results, standard error for messages.
enum Streams {
  /// Makes the three streams ready for whatever they lead to.
  static func prepare() {
    // A file that is opened later must not take the number of a stream that is closed. Each is opened the wrong way
    // round, so that using it fails as it would have.
    for (stream, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
    where fcntl(stream, F_GETFD) < 0 { _ = open("/dev/null", mode) }
    // A reader that went away, such as `head`, is no reason for a signal: writing fails, and the program ends quietly.
    signal(SIGPIPE, SIG_IGN)
    // A file that grows beyond the limit of the system (ulimit -f) is an error, not the end.
    signal(SIGXFSZ, SIG_IGN)
  }

  static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
  static var inputIsTerminal: Bool { isatty(STDIN_FILENO) == 1 }

  /// Whether messages may have colours.
  static var errorsHaveColor: Bool { mayHaveColor(STDERR_FILENO) }

  /// Bits of the colours that results may have: 24, 8 or 0.
  static var outputColorBits: Int {
    guard mayHaveColor(STDOUT_FILENO) else { return 0 }
    let environment = ProcessInfo.processInfo.environment
    if ["truecolor", "24bit"].contains(environment["COLORTERM"]) { return 24 }
    return environment["TERM"]?.contains("256") == true ? 8 : 0
  }

  /// The colours of what is typed.
  static var inputPalette: EntryPalette {
    guard mayHaveColor(STDOUT_FILENO) else { return .none }
    return outputColorBits > 0 ? .extended : .eight
  }

  private static func mayHaveColor(_ descriptor: Int32) -> Bool {
    let environment = ProcessInfo.processInfo.environment
    return canMove(descriptor) && (environment["NO_COLOR"] ?? "").isEmpty
  }

  /// Whether a descriptor leads to a terminal that understands more than plain lines: one that has no name does not.
  static func canMove(_ descriptor: Int32) -> Bool {
    !["", "dumb"].contains(ProcessInfo.processInfo.environment["TERM"] ?? "") && isatty(descriptor) == 1
  }

  /// The line that changes while a training run runs; nil where standard error is no terminal that can do so.
  static var progress: (@Sendable (String?) -> Void)? {
    guard !Processes.isSilent, canMove(STDERR_FILENO) else { return nil }
    return { line in
      // Back to the start, the rest of the line cleared, and the text cut to the width.
      writeError("\r\u{1B}[K" + (line.map { String($0.prefix(columns(of: STDERR_FILENO) - 1)) } ?? ""))
    }
  }

  /// How many characters a line of standard output holds.
  static var outputColumns: Int { columns(of: STDOUT_FILENO) }

  /// How many lines the terminal shows that standard output leads to.
  static var outputRows: Int { size(of: STDOUT_FILENO).rows }

  private static func columns(of descriptor: Int32) -> Int { size(of: descriptor).columns }

  private static func size(of descriptor: Int32) -> (rows: Int, columns: Int) {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 else { return (24, 80) }
    return (size.ws_row > 1 ? Int(size.ws_row) : 24, size.ws_col > 1 ? Int(size.ws_col) : 80)
  }

  static func writeError(_ text: String) {
    guard !Processes.isSilent else { return kept.withLock { $0 = String(($0 + text).suffix(4000)) } }
    writeErrorAnyway(text)
  }

  /// Also from a process that another one speaks for.
  static func writeErrorAnyway(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

  private static let kept = Mutex("")
  /// The last messages of a process that another one speaks for.
  static var unspoken: String { kept.withLock { $0 } }

  static func writeLine(_ text: String) { writeOutput(text + "\n") }

  /// Help, whose lines a terminal would break within words.
  static func writeHelp(_ text: String) { writeLine(outputIsTerminal ? text.wrapped(to: outputColumns) : text) }

  static func writeOutput(_ text: String) {
    guard !Processes.isSilent, !write(Array(text.utf8), to: STDOUT_FILENO) else { return }
    // A terminal that was closed asked the process to end, which it does in order.
    if Signals.isTerminating { return }
    // Nobody reads any more, or the disk is full; the first is no fault.
    if errno == EPIPE { exit(0) }
    writeError("reprise: standard output: \(String(cString: strerror(errno)))\n")
    exit(Status.runtime)
  }

  /// - Returns: whether all was written.
  @discardableResult
  private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var start = 0
    while start < bytes.count {
      let count = bytes.withUnsafeBytes {
        unsafe Foundation.write(descriptor, $0.baseAddress! + start, bytes.count - start)
      }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&waiting, 1, 1000)
        continue
      }
      guard count > 0 else { return false }
      start += count
    }
    return true
  }

  static let messages = DiagnosticRenderer(usesColor: errorsHaveColor)
}

/// Prints as the script goes.
struct TerminalOutput: ScriptOutput {
  var width: Int? { Streams.outputIsTerminal ? Streams.outputColumns : nil }
  var colorBits: Int { Streams.outputColorBits }
  func print(_ text: String) { Streams.writeLine(text) }
  func report(_ text: String) { Streams.writeError(text + "\n") }
  var showsProgress: Bool { Streams.progress != nil }
  func showProgress(_ line: String?) { Streams.progress?(line) }
  func show(picture name: String, at path: String) { InlinePictures.show(path) }
}

/// Prints nothing.
struct SilentOutput: ScriptOutput {
  func print(_ text: String) {}
}

/// Keeps the lines, for `--json`.
final class CollectedOutput: ScriptOutput {
  private let collected = Mutex<[String]>([])
  var lines: [String] { collected.withLock { $0 } }
  func print(_ text: String) { collected.withLock { $0.append(text) } }
  func report(_ text: String) { Streams.writeError(text + "\n") }
}
