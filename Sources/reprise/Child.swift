import Foundation
import Prompt

/// Programs that have the terminal for a while: an editor, a pager, a command of the shell.
enum Child {
  /// Runs a command with `/bin/sh` on this terminal, and waits for it.
  /// - Parameter arguments: What the command finds as `$1` and so on.
  static func run(_ command: String, arguments: [String] = []) -> ShellEnding { start(command, arguments, input: nil) }

  /// Shows a text with the pager; false where there is none.
  static func page(_ text: String) -> Bool {
    let named = ProcessInfo.processInfo.environment["PAGER"].flatMap { $0.isEmpty ? nil : $0 }
    guard let pager = named ?? firstProgram(of: ["less", "more"]) else { return false }
    let file = FileManager.default.temporaryDirectory.appending(path: "reprise-help-\(UUID().uuidString)").path
    guard FileManager.default.createFile(atPath: file, contents: Data((text + "\n").utf8), attributes: [.posixPermissions: 0o600])
    else { return false }
    defer { unlink(file) }
    // As git does: less shows colours, clears nothing, and ends where the text fits.
    switch start("LESS=${LESS-FRX} \(pager)", [], input: file) {
    case .exited(let status): return status != 126 && status != 127
    case .signalled: return true
    case .notStarted: return false
    }
  }

  /// The first of these programs that is installed.
  static func firstProgram(of names: [String]) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return names.first { name in folders.contains { access("\($0)/\(name)", X_OK) == 0 } }
  }

  private static func start(_ command: String, _ arguments: [String], input: String?) -> ShellEnding {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // What this process ignores, a child would ignore too.
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGPIPE, SIGXFSZ] { sigaddset(&signals, number) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let input { posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0) }

    var words = (["sh", "-c", command, "sh"] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var before = termios()
    let isTerminal = tcgetattr(STDIN_FILENO, &before) == 0
    fflush(nil)
    var child = pid_t()
    let status = posix_spawn(&child, "/bin/sh", &actions, &attributes, &words, environ)
    guard status == 0 else { return .notStarted(String(cString: strerror(status))) }
    let ending = wait(for: child)
    // A program that was killed leaves the terminal as it had it.
    if isTerminal { tcsetattr(STDIN_FILENO, TCSADRAIN, &before) }
    return ending
  }

  /// Waits for the end of a child. Ctrl-C reaches it too, from the terminal; what asks this process to end is passed on.
  private static func wait(for child: pid_t) -> ShellEnding {
    var status: Int32 = 0
    var wasAsked = false
    while true {
      let found = waitpid(child, &status, WNOHANG)
      if found == child { break }
      if found < 0, errno != EINTR { return .notStarted(String(cString: strerror(errno))) }
      if Signals.isTerminating, !wasAsked {
        wasAsked = true
        kill(child, SIGHUP)
      } else if Signals.isTerminating {
        // Whoever does not end then is left alone.
        return .signalled(SIGHUP)
      }
      usleep(wasAsked ? 200_000 : 5000)
    }
    return status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .signalled(status & 0x7F)
  }
}
