import Foundation
import Jupyter
import Testing

@Suite("Connection files")
struct ConnectionTests {
  private func connection(_ text: String) throws -> Connection {
    let path = NSTemporaryDirectory() + "/reprise-\(UUID().uuidString).json"
    try Data(text.utf8).write(to: URL(filePath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try Connection(contentsOf: path)
  }
  private static let ports = "\"shell_port\": 1, \"iopub_port\": 2, \"stdin_port\": 3, \"control_port\": 4, \"hb_port\": 5"

  @Test("a file of Jupyter's is read")
  func whole() throws {
    let read = try connection(
      "{\(Self.ports), \"ip\": \"127.0.0.1\", \"key\": \"k\", \"transport\": \"tcp\", \"signature_scheme\": \"hmac-sha256\", \"kernel_name\": \"\"}")
    #expect(read.ports == [.shell: 1, .iopub: 2, .stdin: 3, .control: 4, .heartbeat: 5] && read.key == "k" && read.ip == "127.0.0.1")
  }

  @Test("one that cannot be used says why", arguments: [
    ("", "no JSON"), ("[]", "no JSON object"), ("{}", "shell_port"), ("{\(ports), \"transport\": \"udp\"}", "udp"),
    ("{\(ports), \"key\": \"k\", \"signature_scheme\": \"hmac-md5\"}", "hmac-md5"),
    ("{\"shell_port\": 65536}", "shell_port"),
  ])
  func broken(_ text: String, _ word: String) throws {
    let error = try #require(throws: JupyterError.self) { try connection(text) }
    #expect(error.description.contains(word), "\(error)")
  }

  @Test("a file that is not there is named")
  func missing() throws {
    let error = try #require(throws: JupyterError.self) { try Connection(contentsOf: "/no/such/file.json") }
    #expect(error.description.contains("/no/such/file.json"))
  }

  @Test("kernels are looked for where the environment says")
  func folders() {
    #expect(KernelSpecification.folder(["JUPYTER_DATA_DIR": "/a", "XDG_DATA_HOME": "/b"]) == "/a/kernels/reprise")
    #expect(KernelSpecification.folder(["XDG_DATA_HOME": "/b", "HOME": "/c"]) == "/b/jupyter/kernels/reprise")
    #expect(KernelSpecification.folder(["HOME": "/c"]) == "/c/.local/share/jupyter/kernels/reprise")
  }
}
