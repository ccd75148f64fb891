import Foundation
import Script

/// Standard output and standard error, written in whole lines.
enum Console {
  /// A reader that goes away early is met when writing, not by a signal.
  static func prepare() { signal(SIGPIPE, SIG_IGN) }

  static func out(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }
  static func error(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

  /// Writes all of a text. Where nobody reads standard output any more there is nothing left to do: the process ends
  /// as a pipe's signal would end it.
  static func write(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty {
        let written = Foundation.write(descriptor, rest.baseAddress, rest.count)
        if written > 0 {
          rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        } else if errno == EPIPE {
          if descriptor == STDOUT_FILENO { _exit(128 + SIGPIPE) }
          return
        } else if errno != EINTR && errno != EAGAIN {
          return
        }
      }
    }
  }

  static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  /// Whether standard error shows colours: a terminal that can, and nobody asked for none (no-color.org).
  static var usesColor: Bool {
    let environment = ProcessInfo.processInfo.environment
    if let wish = environment["NO_COLOR"], !wish.isEmpty { return false }
    return isTerminal(STDERR_FILENO) && environment["TERM"] != "dumb"
  }

  static var renderer: DiagnosticRenderer { DiagnosticRenderer(usesColor: usesColor) }

  /// The line that changes while a training runs; nil where standard error is no terminal that can do so.
  static var progress: (@Sendable (String?) -> Void)? {
    guard isTerminal(STDERR_FILENO), ProcessInfo.processInfo.environment["TERM"] != "dumb" else { return nil }
    return { line in
      // Back to the start, the text cut to the width, and the rest of the line cleared.
      var size = winsize()
      let isKnown = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 1
      let width = isKnown ? Int(size.ws_col) - 1 : 79
      write("\r\u{1B}[K" + (line.map { String($0.prefix(width)) } ?? ""), to: STDERR_FILENO)
    }
  }
}

/// Where scripts print.
struct ConsoleOutput: ScriptOutput {
  /// With `--json` standard output holds one document and nothing else.
  var isQuiet = false
  func print(_ text: String) { if isQuiet { Console.error(text) } else { Console.out(text) } }
  func report(_ text: String) { Console.error(text) }
  func narrate(_ markdown: String) {}
}

/// Ctrl-C: the first asks what runs to stop, the second ends the process.
enum Interrupts {
  static let flag = Interruption()

  static func watch() {
    _ = flag  // made here, not in the handler
    signal(SIGINT) { _ in
      if Interrupts.flag.isRaised { _exit(130) }
      Interrupts.flag.raise()
    }
  }
}
