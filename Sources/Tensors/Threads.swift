#if canImport(Glibc)
  import Glibc
#endif

/// Whether the system gives one more thread with a stack of so many bytes, now.
///
/// Foundation's threads do not tell: one that could not be started never runs, and who waits for it waits forever.
public func systemGivesThread(stackSize: Int = 8 << 20) -> Bool {
  let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
  defer { attributes.deallocate() }
  guard pthread_attr_init(attributes) == 0 else { return false }
  defer { pthread_attr_destroy(attributes) }
  var thread: pthread_t = 0
  guard pthread_attr_setstacksize(attributes, stackSize) == 0,
    pthread_create(&thread, attributes, { _ in nil }, nil) == 0
  else { return false }
  pthread_join(thread, nil)
  return true
}
