internal import Foundation
internal import Tensors

/// A message of Jupyter's protocol, version 5.3.
///
/// On the wire: the addresses of who asked, a delimiter, the signature, and four JSON objects: header, header of the
/// message that it answers, metadata, content. The signature is the HMAC of the four.
///
/// Source: Jupyter's documentation, "Messaging in Jupyter", the wire protocol.
public struct Message: Hashable, Sendable {
  /// Where an answer is to go: the frames before the delimiter.
  public var identities: [[UInt8]] = []
  public var header: JSON
  public var parent: JSON = [:]
  public var metadata: JSON = [:]
  public var content: JSON

  public var type: String { header["msg_type"]?.string ?? "" }

  static let delimiter = Array("<IDS|MSG>".utf8)
  /// The most addresses before the delimiter; a request has one.
  private static let mostIdentities = 16

  public init(_ type: String, _ content: JSON, parent: Message? = nil, session: String, metadata: JSON = [:]) {
    header = [
      "msg_id": .string(UUID().uuidString.lowercased()), "msg_type": .string(type), "session": .string(session),
      "username": "reprise", "date": .string(Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))), "version": "5.3",
    ]
    self.parent = parent?.header ?? [:]
    self.content = content
    self.metadata = metadata
    identities = parent?.identities ?? []
  }

  /// Reads the frames of a message, and believes them only where the signature is right.
  /// - Throws: `JupyterError.message`.
  public init(frames: [[UInt8]], key: String) throws(JupyterError) {
    guard let place = frames.prefix(Self.mostIdentities + 1).firstIndex(of: Self.delimiter) else {
      throw .message("a message has no delimiter")
    }
    let parts = frames[(place + 1)...]
    guard parts.count >= 5 else { throw .message("a message has \(parts.count) frames behind its delimiter, not 5 or more") }
    let (signature, signed) = (frames[place + 1], Array(frames[(place + 2)..<(place + 6)]))
    if !key.isEmpty {
      guard let given = Self.bytes(hexadecimal: signature),
        SHA256.isAuthenticationCode(given, of: Array(signed.joined()), key: Array(key.utf8))
      else { throw .message("a message has a wrong signature") }
    }
    let objects = signed.map { JSON($0) }
    guard let header = objects[0], let parent = objects[1], let metadata = objects[2], let content = objects[3],
      header["msg_type"]?.string != nil, content.object != nil
    else { throw .message("a message holds no JSON, or no type") }
    (identities, self.header, self.parent, self.metadata, self.content) = (
      Array(frames[..<place]), header, parent, metadata, content
    )
  }

  /// The frames, signed.
  public func frames(key: String) -> [[UInt8]] {
    let parts = [header, parent, metadata, content].map { $0.bytes() }
    return identities + [Self.delimiter, Array(Self.signature(of: parts, key: key).utf8)] + parts
  }

  /// The signature of four frames in hexadecimal digits; empty without a key.
  public static func signature(of parts: [[UInt8]], key: String) -> String {
    guard !key.isEmpty else { return "" }
    return SHA256.authenticationCode(of: Array(parts.joined()), key: Array(key.utf8)).hexadecimal
  }

  private static func bytes(hexadecimal text: [UInt8]) -> [UInt8]? {
    guard text.count == 64 else { return nil }
    let digits = text.map { Character(UnicodeScalar($0)).hexDigitValue }
    guard !digits.contains(nil) else { return nil }
    return stride(from: 0, to: 64, by: 2).map { UInt8(16 * (digits[$0] ?? 0) + (digits[$0 + 1] ?? 0)) }
  }
}
