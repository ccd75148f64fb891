internal import Tensors

/// What a connection file says: where the kernel listens, and how messages are signed.
///
/// Source: Jupyter's documentation, "Connection files".
public struct Connection: Hashable, Sendable {
  /// The sockets of a kernel.
  public enum Channel: String, CaseIterable, Sendable { case shell, control, iopub, stdin, heartbeat = "hb" }

  public var transport = "tcp"
  public var ip = "127.0.0.1"
  public var ports: [Channel: Int] = [:]
  /// The key of signatures; empty where messages are not signed.
  public var key = ""

  public init() {}

  /// Reads a connection file.
  /// - Throws: `JupyterError.connection`.
  public init(contentsOf path: String) throws(JupyterError) {
    let bytes: [UInt8]
    do { bytes = try readFile(path, limit: 1 << 20) } catch { throw .connection(path: path, problem: "\(error)") }
    guard let file = JSON(bytes), file.object != nil else { throw .connection(path: path, problem: "it holds no JSON object") }
    transport = file["transport"]?.string ?? "tcp"
    ip = file["ip"]?.string ?? "127.0.0.1"
    key = file["key"]?.string ?? ""
    guard ["tcp", "ipc"].contains(transport) else {
      throw .connection(path: path, problem: "the transport '\(transport)' is neither tcp nor ipc")
    }
    let scheme = file["signature_scheme"]?.string ?? "hmac-sha256"
    guard key.isEmpty || scheme == "hmac-sha256" else {
      throw .connection(path: path, problem: "messages are signed by '\(scheme)'; hmac-sha256 is known here")
    }
    for channel in Channel.allCases {
      let name = "\(channel.rawValue)_port"
      guard let port = file[name]?.integer, (0...65_535).contains(port) else {
        throw .connection(path: path, problem: "it has no \(name) of 0 to 65535")
      }
      ports[channel] = port
    }
  }

  func address(of channel: Channel) -> String {
    let port = ports[channel] ?? 0
    return transport == "ipc" ? "ipc://\(ip)-\(port)" : "tcp://\(ip):\(port == 0 ? "*" : String(port))"
  }
}
