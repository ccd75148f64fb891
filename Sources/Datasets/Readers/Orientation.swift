/// The EXIF orientation: how a stored image is mirrored and turned to be seen upright.
struct Orientation: Hashable {
  /// Whether rows become columns.
  let swapsAxes: Bool
  /// Whether stored columns and rows are counted from the end.
  let mirrorsColumns, mirrorsRows: Bool

  static let upright = Orientation(1)!

  /// - Parameter code: 1 to 8.
  init?(_ code: Int) {
    guard (1...8).contains(code) else { return nil }
    swapsAxes = code >= 5
    mirrorsColumns = [2, 3, 7, 8].contains(code)
    mirrorsRows = [3, 4, 6, 7].contains(code)
  }

  /// Height and width as seen of a stored image's, and the other way round.
  func size(height: Int, width: Int) -> (height: Int, width: Int) { swapsAxes ? (width, height) : (height, width) }

  /// Where a window as seen lies in an image stored with `height` x `width` pixels.
  func stored(_ window: Window, height: Double, width: Double) -> Window {
    var result = window
    if swapsAxes {
      (result.top, result.left, result.height, result.width) = (window.left, window.top, window.width, window.height)
    }
    if mirrorsColumns { result.left = width - result.left - result.width }
    if mirrorsRows { result.top = height - result.top - result.height }
    return result
  }
}

extension Pixels {
  /// As they are seen.
  func seen(_ orientation: Orientation) -> Pixels {
    guard orientation != .upright else { return self }
    let (height, width) = orientation.size(height: self.height, width: self.width)
    // Steps to the next stored pixel, to the right and down as seen.
    let (column, row) = (orientation.mirrorsColumns ? -1 : 1, orientation.mirrorsRows ? -self.width : self.width)
    let (right, down) = orientation.swapsAxes ? (row, column) : (column, row)
    let firstRow = orientation.mirrorsRows ? self.height - 1 : 0
    let start = firstRow * self.width + (orientation.mirrorsColumns ? self.width - 1 : 0)
    return Pixels(
      height: height, width: width,
      bytes: [UInt8](unsafeUninitializedCapacity: bytes.count) { out, count in
        bytes.withUnsafeBytes { stored in
          let target = UnsafeMutableRawPointer(out.baseAddress!)
          for y in 0..<height {
            for x in 0..<width {
              let pixel = stored.loadUnaligned(fromByteOffset: 4 * (start + x * right + y * down), as: UInt32.self)
              target.storeBytes(of: pixel, toByteOffset: 4 * (y * width + x), as: UInt32.self)
            }
          }
        }
        count = bytes.count
      })
  }
}

extension Orientation {
  /// What the EXIF data of a JPEG, PNG or WebP says; upright where there is none or it says nothing that is known.
  init(of format: ImageFormat, _ bytes: [UInt8]) {
    let data = Self.exif(of: format, bytes)
    self = data.flatMap(Self.code).flatMap { Orientation($0) } ?? .upright
  }

  private static let mark = Array("Exif\0\0".utf8)

  private static func exif(of format: ImageFormat, _ bytes: [UInt8]) -> ArraySlice<UInt8>? {
    func big(_ at: Int, _ count: Int) -> Int { bytes[at..<at + count].reduce(0) { $0 << 8 | Int($1) } }
    switch format {
    case .jpeg:
      var at = 2
      while at + 4 <= bytes.count, bytes[at] == 0xFF {
        let marker = bytes[at + 1]
        if marker == 0xFF {
          at += 1
          continue
        }
        if marker == 0xDA { return nil }
        let end = at + 2 + big(at + 2, 2)
        guard end <= bytes.count, end >= at + 4 else { return nil }
        if marker == 0xE1, bytes[at + 4..<end].starts(with: mark) { return bytes[at + 4 + mark.count..<end] }
        at = end
      }
    case .png:
      var at = 8
      while at + 12 <= bytes.count {
        let length = big(at, 4)
        guard length <= bytes.count - at - 12 else { return nil }
        if bytes[at + 4..<at + 8].elementsEqual("eXIf".utf8) { return bytes[at + 8..<at + 8 + length] }
        at += 12 + length
      }
    case .webp:
      var at = 12
      while at + 8 <= bytes.count {
        let length = bytes[at + 4..<at + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= bytes.count - at - 8 else { return nil }
        if bytes[at..<at + 4].elementsEqual("EXIF".utf8) {
          let data = bytes[at + 8..<at + 8 + length]
          return data.starts(with: mark) ? data.dropFirst(mark.count) : data
        }
        at += 8 + length + length % 2
      }
    case .gif, .bmp: break
    }
    return nil
  }

  /// The value of tag 0x0112 in the first directory of TIFF data.
  private static func code(_ data: ArraySlice<UInt8>) -> Int? {
    let isLittle = data.starts(with: [0x49, 0x49, 0x2A, 0])
    guard isLittle || data.starts(with: [0x4D, 0x4D, 0, 0x2A]) else { return nil }
    func number(_ offset: Int, _ count: Int) -> Int? {
      guard offset >= 0, offset + count <= data.count else { return nil }
      let part = data[data.startIndex + offset..<data.startIndex + offset + count]
      return isLittle ? part.reversed().reduce(0) { $0 << 8 | Int($1) } : part.reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = number(4, 4), let entries = number(directory, 2) else { return nil }
    for entry in 0..<entries {
      let at = directory + 2 + 12 * entry
      guard let tag = number(at, 2) else { return nil }
      guard tag == 0x0112 else { continue }
      guard let kind = number(at + 2, 2), number(at + 4, 4) == 1 else { return nil }
      // Numbers of one, two or four bytes.
      let sizes = [1: 1, 3: 2, 4: 4, 6: 1, 8: 2, 9: 4]
      return sizes[kind].flatMap { number(at + 8, $0) }
    }
    return nil
  }
}
