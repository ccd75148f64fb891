internal import Foundation
public import Notebook
public import Script

/// A kernel of Jupyter: cells of the language, in one session.
///
/// One thread owns the sockets. It answers the control channel, and the heartbeat, while a cell runs on another.
public final class Kernel {
  private let connection: Connection
  private let version: String
  private let sessionName = UUID().uuidString.lowercased()
  private let interruption: Interruption
  private let outbox: Outbox
  private let evaluator: CellEvaluator
  private let output: CellOutput
  private let complain: (String) -> Void

  private let shell, control, publisher, input, heartbeat: Socket
  /// The request whose cell runs, and the number of that cell.
  private var running: Message?
  private var count = 0
  private var history: [(number: Int, text: String)] = []
  private var isEnding = false
  /// Whether the requests that are answered now came behind a cell that failed: their cells are left undone.
  private var aborts = false

  /// Opens the sockets.
  /// - Parameters:
  ///   - notebook: Makes the host of the session from what shows progress and notes.
  ///   - interruption: What stops the cell that runs; also raised by whoever else may stop it.
  ///   - complain: Takes a line about a message that is no message.
  /// - Throws: `JupyterError.socket`.
  public init(
    _ connection: Connection, version: String, interruption: Interruption,
    notebook: (_ showProgress: @escaping @Sendable (String?) -> Void, _ showNote: @escaping @Sendable (String) -> Void) -> NotebookSession,
    complain: @escaping (String) -> Void
  ) throws(JupyterError) {
    (self.connection, self.version, self.interruption, self.complain) = (connection, version, interruption, complain)
    outbox = try Outbox()
    let output = CellOutput(outbox: outbox, session: sessionName)
    self.output = output
    evaluator = CellEvaluator(
      notebook({ output.progress($0) }, { output.report($0) }), output, outbox, interruption: interruption)
    let context = try Socket.Context()
    func socket(_ kind: Socket.Kind, _ channel: Connection.Channel) throws(JupyterError) -> Socket {
      let socket = try Socket(kind, in: context)
      try socket.bind(connection.address(of: channel))
      return socket
    }
    shell = try socket(.router, .shell)
    control = try socket(.router, .control)
    publisher = try socket(.publish, .iopub)
    input = try socket(.router, .stdin)
    heartbeat = try socket(.router, .heartbeat)
  }

  /// Where each channel listens.
  public var addresses: [Connection.Channel: String] {
    [
      .shell: shell.address, .control: control.address, .iopub: publisher.address, .stdin: input.address,
      .heartbeat: heartbeat.address,
    ]
  }

  /// Serves until it is asked to end.
  /// - Parameter shouldEnd: Asked about once a second.
  public func run(shouldEnd: () -> Bool) {
    publish("status", ["execution_state": "starting"], nil)
    while true {
      if running == nil, isEnding { break }
      if shouldEnd() { end() }
      // One cell at a time: what else comes by the shell waits.
      let sockets = running == nil ? [control, heartbeat, shell] : [control, heartbeat]
      let ready = Socket.wait(sockets, descriptor: outbox.descriptor, milliseconds: 500)
      if ready[sockets.count] { for item in outbox.take() { take(item) } }
      if ready[1] { while let frames = heartbeat.receive() { heartbeat.send(frames) } }
      if ready[0] { while let request = request(on: control) { answer(request, on: control) } }
      if running == nil {
        if sockets.count > 2, ready[2], let request = request(on: shell) { answer(request, on: shell) }
      }
    }
  }

  /// Ends after the cell that runs, which is stopped.
  private func end() {
    isEnding = true
    if running != nil { interruption.raise() }
  }

  private func request(on socket: Socket) -> Message? {
    while let frames = socket.receive() {
      do throws(JupyterError) { return try Message(frames: frames, key: connection.key) } catch { complain("\(error); it is ignored") }
    }
    return nil
  }

  private func publish(_ type: String, _ content: JSON, _ parent: Message?) {
    var message = Message(type, content, parent: parent, session: sessionName)
    message.identities = [Array(type.utf8)]
    publisher.send(message.frames(key: connection.key))
  }

  private func reply(to request: Message, _ content: JSON, on socket: Socket) {
    let type = request.type.hasSuffix("_request") ? String(request.type.dropLast("request".count)) + "reply" : request.type
    socket.send(Message(type, content, parent: request, session: sessionName).frames(key: connection.key))
  }

  private func answer(_ request: Message, on socket: Socket) {
    publish("status", ["execution_state": "busy"], request)
    if request.type == "execute_request", begin(request, on: socket) { return }
    if let content = content(for: request) { reply(to: request, content, on: socket) }
    publish("status", ["execution_state": "idle"], request)
  }

  // MARK: Cells

  /// - Returns: Whether a cell runs now; its reply comes when it is done.
  private func begin(_ request: Message, on socket: Socket) -> Bool {
    guard !aborts, !isEnding else {
      reply(to: request, ["status": "aborted", "execution_count": .integer(count)], on: socket)
      return false
    }
    let code = request.content["code"]?.string ?? ""
    let isSilent = request.content["silent"]?.bool ?? false
    guard !code.allSatisfy(\.isWhitespace) else {
      reply(to: request, ["status": "ok", "execution_count": .integer(count), "user_expressions": [:], "payload": []], on: socket)
      return false
    }
    if !isSilent {
      count += 1
      if request.content["store_history"]?.bool ?? true { history.append((count, code)) }
      publish("execute_input", ["code": .string(code), "execution_count": .integer(count)], request)
    }
    running = request
    // A wish to stop that came while nothing ran is not meant for this cell.
    interruption.clear()
    evaluator.begin(code, request)
    return true
  }

  private func take(_ item: Outbox.Item) {
    switch item {
    case .publish(let message): publisher.send(message.frames(key: connection.key))
    case .finished(let result):
      guard let request = running else { return }
      running = nil
      var behind: [Message] = []
      if let failure = result.failure {
        // What came until now came behind the failed cell; what comes after its reply was sent with the failure known.
        if request.content["stop_on_error"]?.bool ?? true {
          while let waiting = self.request(on: shell) { behind.append(waiting) }
        }
        let content: [String: JSON] = [
          "ename": .string(failure.name), "evalue": .string(failure.text), "traceback": .array(failure.trace.map(JSON.string)),
        ]
        publish("error", .object(content), request)
        reply(
          to: request,
          .object(content.merging(["status": "error", "execution_count": .integer(count)]) { $1 }), on: shell)
      } else {
        if let value = result.value, request.content["silent"]?.bool != true {
          publish("execute_result", ["data": value, "metadata": [:], "execution_count": .integer(count)], request)
        }
        reply(
          to: request, ["status": "ok", "execution_count": .integer(count), "user_expressions": [:], "payload": []], on: shell)
      }
      publish("status", ["execution_state": "idle"], request)
      aborts = true
      for waiting in behind { answer(waiting, on: shell) }
      aborts = false
    }
  }

  // MARK: Answers

  /// What a request is answered with; nil for one that has no answer.
  private func content(for request: Message) -> JSON? {
    let (code, cursor) = (request.content["code"]?.string ?? "", request.content["cursor_pos"]?.integer ?? 0)
    switch request.type {
    case "kernel_info_request": return information
    case "complete_request": return completions(code, cursor)
    case "inspect_request": return inspection(code, cursor)
    case "is_complete_request":
      return Session.isComplete(code) ? ["status": "complete"] : ["status": "incomplete", "indent": "  "]
    case "history_request":
      let last = request.content["n"]?.integer.map { max($0, 0) } ?? history.count
      return [
        "status": "ok",
        "history": .array(history.suffix(last).map { [0, .integer($0.number), .string($0.text)] }),
      ]
    case "comm_info_request": return ["status": "ok", "comms": [:]]
    case "comm_open":
      // Nobody here answers widgets.
      publish("comm_close", ["comm_id": request.content["comm_id"] ?? "", "data": [:]], request)
      return nil
    case "interrupt_request":
      if running != nil { interruption.raise() }
      return ["status": "ok"]
    case "shutdown_request":
      end()
      let content: JSON = ["status": "ok", "restart": .bool(request.content["restart"]?.bool ?? false)]
      publish("shutdown_reply", content, request)
      return content
    default: return nil
    }
  }

  private var information: JSON {
    [
      "status": "ok", "protocol_version": "5.3", "implementation": "reprise", "implementation_version": .string(version),
      "banner": .string("Reprise \(version): train, prune, quantize and export image classifiers"),
      "language_info": [
        "name": "reprise", "version": .string(version), "mimetype": "text/x-reprise", "file_extension": ".reprise",
        "pygments_lexer": "text", "codemirror_mode": "text",
      ],
      "help_links": [],
    ]
  }

  /// A place of Jupyter's, in characters of Unicode, as one in bytes.
  private func bytes(_ text: String, _ place: Int) -> Int {
    text.unicodeScalars.prefix(max(place, 0)).reduce(0) { $0 + UTF8.width($1) }
  }
  private func scalars(_ text: String, _ bytes: Int) -> Int {
    String(decoding: text.utf8.prefix(bytes), as: UTF8.self).unicodeScalars.count
  }

  private func completions(_ code: String, _ cursor: Int) -> JSON {
    let found = evaluator.session.completions(in: code, at: bytes(code, cursor))
    let (start, end) = (scalars(code, found.start), min(max(cursor, 0), code.unicodeScalars.count))
    return [
      "status": "ok", "cursor_start": .integer(start), "cursor_end": .integer(end),
      "matches": .array(found.candidates.map { .string($0.text) }),
      "metadata": [
        "_jupyter_types_experimental": .array(
          found.candidates.map {
            [
              "text": .string($0.text), "type": "function", "signature": .string($0.doc), "start": .integer(start),
              "end": .integer(end),
            ]
          })
      ],
    ]
  }

  private func inspection(_ code: String, _ cursor: Int) -> JSON {
    let scalars = Array(code.unicodeScalars)
    func isPart(_ scalar: UnicodeScalar) -> Bool { scalar == "_" || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) }
    let place = min(max(cursor, 0), scalars.count)
    let before = scalars[..<place].reversed().prefix(while: isPart).reversed()
    let word = String(String.UnicodeScalarView(Array(before) + scalars[place...].prefix(while: isPart)))
    let session = evaluator.session
    let reference = Reference(session.library)
    var lines: [String] = []
    if let value = session[word] {
      lines.append("\(word): \(value.typeName)\n\(value.shown(width: 100))")
      if let help = session.library.objectType(value.typeName).flatMap({ reference.help($0.name) }) { lines.append(help) }
    }
    if session[word] == nil, !word.isEmpty, let help = reference.help(word) { lines.append(help) }
    let data: JSON = lines.isEmpty ? [:] : ["text/plain": .string(lines.joined(separator: "\n\n"))]
    return ["status": "ok", "found": .bool(!lines.isEmpty), "data": data, "metadata": [:]]
  }
}
