internal import CWebP

/// A WebP image through libwebp; of an animation the first frame, on a canvas that is black. Transparency is dropped.
enum WebP {
  /// - Parameter most: pixels; a larger image is refused.
  static func decode(_ bytes: [UInt8], most: Int) throws(Undecodable) -> Pixels {
    let result = bytes.withUnsafeBufferPointer { bytes -> Result<Pixels, Undecodable> in
      var file = WebPData(bytes: bytes.baseAddress, size: bytes.count)
      guard let reader = WebPDemux(&file) else { return .failure(Undecodable(reason: "the WebP data is damaged")) }
      defer { WebPDemuxDelete(reader) }
      let width = Int(WebPDemuxGetI(reader, WEBP_FF_CANVAS_WIDTH))
      let height = Int(WebPDemuxGetI(reader, WEBP_FF_CANVAS_HEIGHT))
      guard width > 0, height > 0, width <= most / height else {
        return .failure(Undecodable(height: height, width: width, ofBytes: bytes.count))
      }
      var frame = WebPIterator()
      guard WebPDemuxGetFrame(reader, 1, &frame) != 0 else {
        return .failure(Undecodable(reason: "it has no image"))
      }
      defer { WebPDemuxReleaseIterator(&frame) }
      let (left, top) = (Int(frame.x_offset), Int(frame.y_offset))
      let (frameWidth, frameHeight) = (Int(frame.width), Int(frame.height))
      guard left >= 0, top >= 0, left + frameWidth <= width, top + frameHeight <= height else {
        return .failure(Undecodable(reason: "its frame lies outside of it"))
      }
      let (first, size) = (4 * (top * width + left), 4 * width * height)
      var isDecoded = false
      let pixels = [UInt8](unsafeUninitializedCapacity: size) { out, count in
        if frameWidth < width || frameHeight < height { out.initialize(repeating: 0) }
        isDecoded =
          WebPDecodeRGBAInto(
            frame.fragment.bytes, frame.fragment.size, out.baseAddress! + first, size - first, Int32(4 * width)) != nil
        count = isDecoded ? size : 0
      }
      guard isDecoded else { return .failure(Undecodable(reason: "the WebP data is damaged")) }
      return .success(Pixels(height: height, width: width, bytes: pixels))
    }
    return try result.get()
  }
}
