internal import CZeroMQ
internal import Foundation

/// A socket of ZeroMQ. One thread may use it.
public final class Socket {
  public enum Kind { case router, publish, dealer, subscribe, request
    var number: Int32 {
      switch self {
      case .router: ZMQ_ROUTER
      case .publish: ZMQ_PUB
      case .dealer: ZMQ_DEALER
      case .subscribe: ZMQ_SUB
      case .request: ZMQ_REQ
      }
    }
  }

  /// Sockets of one context; closed with the last that holds it.
  public final class Context {
    fileprivate let raw: UnsafeMutableRawPointer

    public init() throws(JupyterError) {
      guard let raw = zmq_ctx_new() else { throw .socket(address: "ZeroMQ", reason: Socket.reason) }
      self.raw = raw
    }
    deinit { zmq_ctx_term(raw) }
  }

  private let context: Context
  let raw: UnsafeMutableRawPointer
  /// Where it listens, with the port that the system chose.
  public private(set) var address = ""

  /// The largest frame that is taken; a larger one ends its connection. Bytes.
  private static let largestFrame: Int64 = 64 << 20
  /// The most frames of a message.
  private static let mostFrames = 256

  fileprivate static var reason: String { String(cString: zmq_strerror(zmq_errno())) }

  public init(_ kind: Kind, in context: Context) throws(JupyterError) {
    guard let raw = zmq_socket(context.raw, kind.number) else { throw .socket(address: "ZeroMQ", reason: Socket.reason) }
    (self.raw, self.context) = (raw, context)
    // What nobody takes is not waited for at the end for longer than this.
    var linger: Int32 = 1000
    zmq_setsockopt(raw, ZMQ_LINGER, &linger, MemoryLayout<Int32>.size)
    var largest = Self.largestFrame
    zmq_setsockopt(raw, ZMQ_MAXMSGSIZE, &largest, MemoryLayout<Int64>.size)
    if kind == .publish {
      // A listener that reads slowly gets everything in the end: without this, what exceeds 1000 messages is dropped.
      var most: Int32 = 0
      zmq_setsockopt(raw, ZMQ_SNDHWM, &most, MemoryLayout<Int32>.size)
    }
    if kind == .router {
      // A client that comes back under its name takes the place of the one that vanished.
      var takesOver: Int32 = 1
      zmq_setsockopt(raw, ZMQ_ROUTER_HANDOVER, &takesOver, MemoryLayout<Int32>.size)
    }
    if kind == .subscribe { zmq_setsockopt(raw, ZMQ_SUBSCRIBE, "", 0) }
  }
  deinit { zmq_close(raw) }

  public func bind(_ address: String) throws(JupyterError) {
    guard zmq_bind(raw, address) == 0 else { throw .socket(address: address, reason: Socket.reason) }
    var text = [CChar](repeating: 0, count: 1024)
    var count = text.count
    guard zmq_getsockopt(raw, ZMQ_LAST_ENDPOINT, &text, &count) == 0 else { return }
    self.address = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  public func connect(_ address: String) throws(JupyterError) {
    guard zmq_connect(raw, address) == 0 else { throw .socket(address: address, reason: Socket.reason) }
  }

  /// Sends a message, or drops it where nobody takes it: a client that vanished holds nobody up.
  public func send(_ frames: [[UInt8]]) {
    for (place, frame) in frames.enumerated() {
      let isLast = place == frames.count - 1
      guard zmq_send(raw, frame, frame.count, ZMQ_DONTWAIT | (isLast ? 0 : ZMQ_SNDMORE)) >= 0 else { return }
    }
  }

  /// The frames of the next message; nil where there is none now. Empty for one with too many frames.
  public func receive() -> [[UInt8]]? {
    var frames: [[UInt8]] = []
    var isTooLong = false
    while true {
      var message = zmq_msg_t()
      zmq_msg_init(&message)
      defer { zmq_msg_close(&message) }
      guard zmq_msg_recv(&message, raw, ZMQ_DONTWAIT) >= 0 else { return frames.isEmpty ? nil : frames }
      let bytes = UnsafeRawBufferPointer(start: zmq_msg_data(&message), count: zmq_msg_size(&message))
      if frames.count < Self.mostFrames { frames.append([UInt8](bytes)) } else { isTooLong = true }
      if zmq_msg_more(&message) == 0 { return isTooLong ? [] : frames }
    }
  }

  /// Waits until one of some sockets, or a file, can be read.
  /// - Returns: Whether each can; all false after the time, or where a signal came.
  public static func wait(_ sockets: [Socket], descriptor: Int32, milliseconds: Int) -> [Bool] {
    var items = sockets.map { zmq_pollitem_t(socket: $0.raw, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0) }
    if descriptor >= 0 { items.append(zmq_pollitem_t(socket: nil, fd: descriptor, events: Int16(ZMQ_POLLIN), revents: 0)) }
    guard zmq_poll(&items, Int32(items.count), milliseconds) > 0 else { return items.map { _ in false } }
    return items.map { $0.revents & Int16(ZMQ_POLLIN) != 0 }
  }
}
