import Foundation
import Synchronization

/// Pictures within the text of a terminal that can show them, by the protocol of kitty or that of iTerm2.
///
/// A terminal is believed only where it answers a query: unknown sequences would be printed as garbage by some.
enum InlinePictures {
  private enum Kind { case kitty, iTerm2 }

  /// What the terminal can do; found out at the first picture.
  private static let kind = Mutex<Kind??>(nil)

  /// The largest file that is sent. Bytes.
  private static let limit = 8 << 20

  /// Shows a PNG file, if the terminal can.
  static func show(_ path: String) { show { FileManager.default.contents(atPath: path).map(Array.init) ?? [] } }

  /// Shows the image of a PNG file, if the terminal can.
  /// - Parameter png: Called for the bytes of the file where they are needed.
  static func show(_ png: () -> [UInt8]) {
    guard let kind = kind.withLock({ kind in
      if kind == nil { kind = .some(ask()) }
      return kind!
    }) else { return }
    let data = png()
    guard !data.isEmpty, data.count <= limit else { return }
    let text = Data(data).base64EncodedString()
    let columns = min(Streams.outputColumns, 100)
    switch kind {
    case .iTerm2:
      Streams.writeOutput(
        "\u{1B}]1337;File=inline=1;size=\(data.count);width=\(columns);preserveAspectRatio=1:\(text)\u{7}\n")
    case .kitty:
      // In pieces of at most 4096 characters, each but the last marked m=1.
      let bytes = Array(text.utf8)
      var output = ""
      for start in stride(from: 0, to: bytes.count, by: 4096) {
        let piece = String(decoding: bytes[start..<min(start + 4096, bytes.count)], as: UTF8.self)
        let control = start == 0 ? "a=T,f=100,q=2,c=\(columns)," : ""
        output += "\u{1B}_G\(control)m=\(start + 4096 < bytes.count ? 1 : 0);\(piece)\u{1B}\\"
      }
      Streams.writeOutput(output + "\n")
    }
  }

  /// Asks the terminal what it can do, and waits for its answer for at most a quarter of a second. Every terminal answers
  /// the last of the queries, so the wait is short.
  private static func ask() -> Kind? {
    let environment = ProcessInfo.processInfo.environment
    guard Streams.inputIsTerminal, Streams.canMove(STDOUT_FILENO),
      environment["TERM"]?.hasPrefix("screen") != true, environment["TMUX"] == nil
    else { return nil }
    var before = termios()
    guard tcgetattr(STDIN_FILENO, &before) == 0 else { return nil }
    // Keys that were pressed meanwhile would be taken for the answer.
    var waiting: Int32 = 0
    guard ioctl(STDIN_FILENO, UInt(FIONREAD), &waiting) == 0, waiting == 0 else { return nil }
    var raw = before
    raw.c_lflag &= ~UInt32(ICANON | ECHO)
    tcsetattr(STDIN_FILENO, TCSANOW, &raw)
    defer { tcsetattr(STDIN_FILENO, TCSANOW, &before) }
    Streams.writeOutput("\u{1B}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1B}\\\u{1B}]1337;ReportCellSize\u{7}\u{1B}[c")
    var answer = ""
    let end = ContinuousClock.now + .milliseconds(250)
    // The answer to the last query ends with `c`: ESC [ ? 62 ; 4 c.
    while ContinuousClock.now < end, answer.range(of: "\u{1B}\\[\\?[0-9;]*c", options: .regularExpression) == nil {
      var ready = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
      guard poll(&ready, 1, 50) > 0 else { continue }
      var bytes = [UInt8](repeating: 0, count: 256)
      let count = read(STDIN_FILENO, &bytes, bytes.count)
      guard count > 0 else { break }
      answer += String(decoding: bytes[..<count], as: UTF8.self)
    }
    if answer.contains("_Gi=31;OK") { return .kitty }
    if answer.contains("1337;ReportCellSize=") { return .iTerm2 }
    return nil
  }
}
