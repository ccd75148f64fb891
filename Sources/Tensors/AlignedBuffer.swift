#if canImport(Glibc)
  import Glibc
#endif

/// Memory with one owner, aligned for the widest vector loads and, when large, for huge pages.
///
/// The contents start as zero. Freed when the owner goes.
public struct AlignedBuffer: ~Copyable, @unchecked Sendable {  // Sendable: one owner, so no two threads share it unasked
  /// Bytes; a multiple of 64.
  public let byteCount: Int
  public let pointer: UnsafeMutableRawPointer
  private let isMapped: Bool

  /// Alignment of every buffer: one AVX-512 vector, one cache line.
  public static let alignment = 64
  private static let hugePage = 2 << 20

  /// Rounds a count of bytes up to the alignment.
  public static func rounded(_ byteCount: Int) -> Int { (byteCount + alignment - 1) & ~(alignment - 1) }

  /// Allocates zeroed memory.
  /// - Throws: `TensorError.outOfMemory` where the machine does not give it.
  public init(byteCount: Int) throws(TensorError) {
    // No address space holds more, and what is added below stays a number.
    guard byteCount <= 1 << 60 else { throw .outOfMemory(byteCount: byteCount) }
    let rounded = Self.rounded(max(byteCount, 1))
    if rounded >= Self.hugePage {
      // Anonymous pages come zeroed; one more huge page lets the start be aligned.
      let mapped = mmap(
        nil, rounded + Self.hugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
      guard let mapped, mapped != MAP_FAILED else { throw .outOfMemory(byteCount: byteCount) }
      let start = mapped.alignedUp(toMultipleOf: Self.hugePage)
      let lead = start - mapped
      if lead > 0 { munmap(mapped, lead) }
      let tail = Self.hugePage - lead
      let length = (rounded + 4095) & ~4095
      if tail > 0 { munmap(start + length, rounded + Self.hugePage - lead - length) }
      madvise(start, length, MADV_HUGEPAGE)
      pointer = start
      isMapped = true
      self.byteCount = rounded
    } else {
      var start: UnsafeMutableRawPointer?
      guard posix_memalign(&start, Self.alignment, rounded) == 0, let start else {
        throw .outOfMemory(byteCount: byteCount)
      }
      memset(start, 0, rounded)
      pointer = start
      isMapped = false
      self.byteCount = rounded
    }
  }

  deinit {
    if isMapped { munmap(pointer, (byteCount + 4095) & ~4095) } else { free(pointer) }
  }

  /// The memory as floats.
  public var floats: UnsafeMutablePointer<Float> { pointer.assumingMemoryBound(to: Float.self) }
}
