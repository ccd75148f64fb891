import Foundation
import Jupyter
import Notebook
import Script
import Synchronization
import Testing

/// A client of a kernel that runs in this process.
private final class Client {
  private let shell, control, listener: Socket
  private let key: String
  private let session = "test"

  init(_ addresses: [Connection.Channel: String], key: String) throws {
    let context = try Socket.Context()
    func socket(_ kind: Socket.Kind, _ channel: Connection.Channel) throws -> Socket {
      let socket = try Socket(kind, in: context)
      try socket.connect(try #require(addresses[channel]))
      return socket
    }
    (shell, control) = (try socket(.dealer, .shell), try socket(.dealer, .control))
    listener = try socket(.subscribe, .iopub)
    self.key = key
    // A subscription takes a while; until it is there, what is published is lost.
    while true {
      _ = try ask("kernel_info_request", [:])
      if Socket.wait([listener], descriptor: -1, milliseconds: 100)[0] { break }
    }
  }

  func send(_ type: String, _ content: JSON, to channel: Connection.Channel = .shell) -> String {
    let message = Message(type, content, session: session)
    (channel == .control ? control : shell).send(message.frames(key: key))
    return message.header["msg_id"]?.string ?? ""
  }
  func send(frames: [[UInt8]]) { shell.send(frames) }

  private func next(_ socket: Socket, to id: String) throws -> Message {
    while true {
      if let frames = socket.receive() {
        let message = try Message(frames: frames, key: key)
        if message.parent["msg_id"]?.string == id { return message }
        continue
      }
      try #require(Socket.wait([socket], descriptor: -1, milliseconds: 60_000)[0], "no answer")
    }
  }

  func reply(_ id: String, on channel: Connection.Channel = .shell) throws -> JSON {
    try next(channel == .control ? control : shell, to: id).content
  }
  func ask(_ type: String, _ content: JSON, on channel: Connection.Channel = .shell) throws -> JSON {
    try reply(send(type, content, to: channel), on: channel)
  }
  func nextPublished(_ id: String) throws -> Message { try next(listener, to: id) }

  /// What is published until a request is done.
  func published(_ id: String) throws -> [Message] {
    var messages: [Message] = []
    while true {
      let message = try nextPublished(id)
      messages.append(message)
      if message.type == "status", message.content["execution_state"]?.string == "idle" { return messages }
    }
  }
  func execute(_ code: String) throws -> (published: [Message], reply: JSON) {
    let id = send("execute_request", ["code": .string(code)])
    return (try published(id), try reply(id))
  }
}

extension [Message] {
  fileprivate func of(_ type: String) -> [JSON] { filter { $0.type == type }.map(\.content) }
}

@Suite("The kernel", .serialized)
struct KernelTests {
  /// Runs a kernel on a thread of its own for as long as the client works.
  private func withKernel(interruption: Interruption = Interruption(), _ body: (Client) throws -> Void) throws {
    var connection = Connection()
    connection.key = "secret"
    let ended = DispatchSemaphore(value: 0)
    let (given, shared) = (connection, Shared())
    let thread = Thread {
      do throws(JupyterError) {
        let kernel = try Kernel(
          given, version: "1", interruption: interruption,
          notebook: { NotebookSession(threads: 1, showProgress: $0, showNote: $1) }, complain: { _ in })
        shared.started.withLock { $0 = .success(kernel.addresses) }
        kernel.run { shared.isDone.withLock { $0 } }
      } catch {
        shared.started.withLock { $0 = .failure(error) }
      }
      ended.signal()
    }
    thread.stackSize = 8 << 20
    thread.start()
    var addresses: [Connection.Channel: String]?
    while addresses == nil {
      addresses = try shared.started.withLock { $0 }?.get()
      usleep(1000)
    }
    defer {
      shared.isDone.withLock { $0 = true }
      ended.wait()
    }
    try body(try Client(try #require(addresses), key: connection.key))
  }

  @Test("cells share a session; values, prints, tables and errors reach the client")
  func cells() throws {
    try withKernel { (client: Client) throws in
      #expect(try client.ask("kernel_info_request", [:])["language_info"]?["name"] == "reprise")
      let value = try client.execute("x = 20\nx + 1")
      #expect(value.published.of("execute_result").first?["data"]?["text/plain"] == "21")
      #expect(value.reply["status"] == "ok" && value.reply["execution_count"] == 1)
      #expect(try client.execute("print(x)").published.of("stream").first?["text"] == "20\n")
      #expect(try client.execute("ans;").published.of("execute_result").isEmpty)
      let table = try client.execute("table([{ a: 1 }])").published.of("display_data").first?["data"]?["text/html"]?.string
      #expect(table?.contains("<table>") == true)
      let failed = try client.execute("y = [1]\ny[5]")
      #expect(failed.reply["status"] == "error")
      let trace = failed.published.of("error").first?["traceback"]?.array?.compactMap(\.string) ?? []
      #expect(trace.contains { $0.contains("^") }, "\(trace)")
      #expect(try client.execute("y").published.of("execute_result").first?["data"]?["text/plain"] == "[1]")
    }
  }

  @Test("a question in a cell is answered as at the prompt, and is no entry")
  func questions() throws {
    try withKernel { (client: Client) throws in
      func answer(_ code: String) throws -> String? {
        try client.execute(code).published.of("execute_result").first?["data"]?["text/plain"]?.string
      }
      for code in ["help train", "train?", "?train\n"] { #expect(try answer(code)?.hasPrefix("train(") == true) }
      #expect(try answer("help")?.contains("Basics: ") == true)
      #expect(try client.execute("y = 3").reply["status"] == "ok")
      #expect(try answer("y?") == "y: number\n3" && answer("y") == "3")
      let failed = try client.execute("help trian")
      #expect(failed.reply["status"] == "error" && failed.reply["evalue"]?.string?.contains("did you mean 'train'?") == true)
    }
  }

  @Test("a loop over progress shows one line, which changes in place")
  func progress() throws {
    try withKernel { (client: Client) throws in
      let published = try client.execute("for i in progress(1...3, label: \"turn\") { i }").published
      let shown = published.of("display_data")
      #expect(shown.count == 1 && shown[0]["data"]?["text/plain"]?.string?.hasPrefix("turn ") == true)
      let display = shown.first?["transient"]?["display_id"]
      #expect(display != nil && published.of("update_display_data").allSatisfy { $0["transient"]?["display_id"] == display })
      #expect(published.of("stream").isEmpty)
    }
  }

  @Test("names are completed and explained; places are counted in characters of Unicode")
  func help() throws {
    try withKernel { (client: Client) throws in
      let found = try client.ask("complete_request", ["code": "ä = 1; tra", "cursor_pos": 10])
      #expect(found["cursor_start"] == 7 && found["cursor_end"] == 10 && found["matches"]?.array?.isEmpty == false)
      for place in [-5, 3, 1_000_000] {
        #expect(try client.ask("complete_request", ["code": "😀", "cursor_pos": .integer(place)])["status"] == "ok")
      }
      let text = try client.ask("inspect_request", ["code": "train(", "cursor_pos": 2])["data"]?["text/plain"]?.string
      #expect(text?.contains("epochs") == true)
      #expect(try client.ask("inspect_request", ["code": "", "cursor_pos": 0])["found"] == false)
      #expect(try client.ask("is_complete_request", ["code": "f("])["status"] == "incomplete")
      #expect(try client.ask("is_complete_request", ["code": "1"])["status"] == "complete")
      _ = try client.execute("1")
      #expect(try client.ask("history_request", ["n": 5])["history"] == [[0, 1, "1"]])
    }
  }

  @Test("an interruption comes through while a cell runs, and the session goes on")
  func interruption() throws {
    try withKernel { (client: Client) throws in
      let id = client.send("execute_request", ["code": "while true { x = 1 }"])
      while try client.nextPublished(id).type != "execute_input" {}
      #expect(try client.ask("interrupt_request", [:], on: .control)["status"] == "ok")
      #expect(try client.reply(id)["status"] == "error")
      #expect(try client.execute("x").published.of("execute_result").first?["data"]?["text/plain"] == "1")
    }
  }

  @Test("a wish to stop that comes while nothing runs stops nothing")
  func idleInterruption() throws {
    let interruption = Interruption()
    try withKernel(interruption: interruption) { (client: Client) throws in
      interruption.raise()
      #expect(try client.execute("1").reply["status"] == "ok")
    }
  }

  @Test("what waits behind a cell that fails is left undone, and what comes later is done")
  func aborted() throws {
    try withKernel { (client: Client) throws in
      // Whether the second is there when the first fails is up to the system: it is, sooner or later.
      var second: JSON?
      for _ in 0..<50 where second?["status"] != "aborted" {
        let first = client.send("execute_request", ["code": "while true { x = 1 }"])
        while try client.nextPublished(first).type != "execute_input" {}
        let next = client.send("execute_request", ["code": "z = 1"])
        _ = try client.ask("interrupt_request", [:], on: .control)
        #expect(try client.reply(first)["status"] == "error")
        second = try client.reply(next)
        #expect(try client.execute("2").reply["status"] == "ok")
      }
      #expect(second?["status"] == "aborted")
    }
  }

  @Test("what a cell prints reaches a listener that reads late, all of it")
  func lateListener() throws {
    try withKernel { (client: Client) throws in
      let id = client.send("execute_request", ["code": "s = repeat(\"x\", 8000)\nfor i in 1...4000 { print(s) }"])
      #expect(try client.reply(id)["status"] == "ok")
      #expect(try client.published(id).of("stream").count == 4000)
    }
  }

  @Test("a silent cell publishes no result and is not counted")
  func silent() throws {
    try withKernel { (client: Client) throws in
      let id = client.send("execute_request", ["code": "1", "silent": true])
      #expect(try client.published(id).map(\.type) == ["status", "status"])
      #expect(try client.reply(id)["execution_count"] == 0)
    }
  }

  @Test("messages that are none, widgets and unknown requests disturb nobody")
  func broken() throws {
    try withKernel { (client: Client) throws in
      client.send(frames: [[]])
      client.send(frames: [Array("<IDS|MSG>".utf8)])
      client.send(frames: Array(repeating: [1], count: 1000))
      client.send(frames: Message("execute_request", ["code": "1"], session: "x").frames(key: "another key"))
      client.send(frames: [[], Array("<IDS|MSG>".utf8), [], [], [], [], []])
      let opened = client.send("comm_open", ["comm_id": "a", "target_name": "jupyter.widget"])
      #expect(try client.published(opened).of("comm_close").first?["comm_id"] == "a")
      _ = client.send("debug_request", [:], to: .control)
      #expect(try client.execute("1").reply["execution_count"] == 1)
    }
  }

  @Test("a kernel that is told to end stops its cell first")
  func shutdown() throws {
    try withKernel { (client: Client) throws in
      let id = client.send("execute_request", ["code": "while true { x = 1 }"])
      while try client.nextPublished(id).type != "execute_input" {}
      #expect(try client.ask("shutdown_request", ["restart": false], on: .control)["status"] == "ok")
      #expect(try client.reply(id)["status"] == "error")
    }
  }
}

private final class Shared: Sendable {
  let started = Mutex<Result<[Connection.Channel: String], JupyterError>?>(nil)
  let isDone = Mutex(false)
}
