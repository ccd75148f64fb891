/// The first frame of a GIF, as Pillow shows it: on a canvas that has the transparent colour where the frame has one, else
/// colour 0; transparency is dropped.
///
/// Source: "Graphics Interchange Format, Version 89a", and `GifImagePlugin` of Pillow 13 for what it leaves open: a frame
/// beyond the screen enlarges it, and without a palette numbers are grey.
enum GIF {
  /// - Parameter most: pixels; a larger image is refused.
  static func decode(_ bytes: [UInt8], most: Int) throws(Undecodable) -> Pixels {
    var cursor = ByteCursor(bytes, at: 6)
    var (width, height) = (try cursor.number(2), try cursor.number(2))
    let flags = try cursor.byte()
    _ = try cursor.take(2)
    let shared = flags & 0x80 != 0 ? try palette(flags, &cursor) : nil
    var transparent: Int?
    frame: while true {
      switch try cursor.byte() {
      case 0x21: try skipExtension(&cursor, &transparent)
      case 0x2C: break frame
      case 0x3B: throw Undecodable(reason: "it has no image")
      default: break
      }
    }
    let (left, top) = (try cursor.number(2), try cursor.number(2))
    let (frameWidth, frameHeight) = (try cursor.number(2), try cursor.number(2))
    let frameFlags = try cursor.byte()
    let own = frameFlags & 0x80 != 0 ? try palette(frameFlags, &cursor) : nil
    (width, height) = (max(width, left + frameWidth), max(height, top + frameHeight))
    guard frameWidth > 0, frameHeight > 0, width <= most / height else {
      throw Undecodable(height: frameHeight, width: frameWidth, ofBytes: bytes.count)
    }
    var canvas = [UInt8](repeating: UInt8(transparent ?? 0), count: width * height)
    let numbers = try Self.numbers(frameWidth * frameHeight, &cursor)
    for (line, row) in rows(frameHeight, isInterlaced: frameFlags & 0x40 != 0).enumerated() {
      let start = (top + row) * width + left
      canvas.replaceSubrange(
        start..<start + frameWidth, with: numbers[line * frameWidth..<(line + 1) * frameWidth])
    }
    return (own ?? shared ?? .greys).pixels(canvas, height: height, width: width)
  }

  /// The colours of the whole file or of a frame. Nil where each number is that much grey: Pillow passes over such a palette,
  /// so that a frame with one has the colours of the whole file.
  private static func palette(_ flags: Int, _ cursor: inout ByteCursor) throws(Undecodable) -> Palette? {
    let colors = Array(try cursor.take(3 << (flags & 7 + 1)))
    var palette = Palette()
    var isGrey = true
    for number in 0..<colors.count / 3 {
      let (red, green, blue) = (colors[3 * number], colors[3 * number + 1], colors[3 * number + 2])
      palette.set(number, red, green, blue)
      isGrey = isGrey && red == number && green == number && blue == number
    }
    return isGrey ? nil : palette
  }

  private static func skipExtension(_ cursor: inout ByteCursor, _ transparent: inout Int?) throws(Undecodable) {
    let isControl = try cursor.byte() == 0xF9
    var isFirst = true
    while true {
      let block = Array(try cursor.take(try cursor.byte()))
      guard !block.isEmpty else { return }
      if isControl, isFirst, block.count >= 4, block[0] & 1 != 0 { transparent = Int(block[3]) }
      isFirst = false
    }
  }

  /// The row of each line of data.
  private static func rows(_ height: Int, isInterlaced: Bool) -> [Int] {
    guard isInterlaced else { return Array(0..<height) }
    return [(0, 8), (4, 8), (2, 4), (1, 2)].flatMap { stride(from: $0.0, to: height, by: $0.1) }
  }

  /// Codes have at most so many bits.
  private static let longest = 12

  /// Unpacks a number for each pixel (LZW, of the frame's sub-blocks).
  private static func numbers(_ count: Int, _ cursor: inout ByteCursor) throws(Undecodable) -> [UInt8] {
    let bits = try cursor.byte()
    guard (1...8).contains(bits) else { throw Undecodable(reason: "its codes begin with \(bits) bits") }
    let clear = 1 << bits
    var numbers = [UInt8](repeating: 0, count: count)
    // A code stands for the string of another and one number more.
    var prefix = [Int](repeating: 0, count: 1 << longest)
    var suffix = [UInt8](repeating: 0, count: 1 << longest)
    var length = [Int](repeating: 1, count: 1 << longest)
    for code in 0..<clear { suffix[code] = UInt8(code) }
    var (size, next, previous) = (bits + 1, clear + 2, -1)
    var (buffer, filled, left) = (0, 0, 0)
    var done = 0
    while done < count {
      while filled < size {
        if left == 0 { left = try cursor.byte() }
        guard left > 0 else { throw .endsEarly }
        buffer |= try cursor.byte() << filled
        filled += 8
        left -= 1
      }
      let code = buffer & (1 << size - 1)
      buffer >>= size
      filled -= size
      if code == clear {
        (size, next, previous) = (bits + 1, clear + 2, -1)
        continue
      }
      guard code != clear + 1 else { throw .endsEarly }
      guard previous >= 0 ? code <= next : code < clear else { throw Undecodable(reason: "its codes are damaged") }
      // The code that is about to be defined is the string before with its own first number.
      let known = code == next ? previous : code
      var (at, step) = (done + length[known] - 1, known)
      while true {
        if at < count { numbers[at] = suffix[step] }
        guard at > done else { break }
        at -= 1
        step = prefix[step]
      }
      let first = numbers[done]
      done += length[known]
      if code == next {
        if done < count { numbers[done] = first }
        done += 1
      }
      if previous >= 0, next < 1 << longest {
        (prefix[next], suffix[next], length[next]) = (previous, first, length[previous] + 1)
        if next == 1 << size - 1, size < longest { size += 1 }
        next += 1
      }
      previous = code
    }
    return numbers
  }
}
