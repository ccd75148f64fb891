internal import CDNNL

/// Owns a primitive together with its arguments, prepared once.
final class Call {
  private let primitive: Primitive
  private let memories: [Memory]
  private let arguments: UnsafeMutablePointer<dnnl_exec_arg_t>
  private let count: Int32

  init(_ primitive: Primitive, _ bound: [(argument: Int32, memory: Memory)]) {
    self.primitive = primitive
    memories = bound.map(\.memory)
    count = Int32(bound.count)
    arguments = .allocate(capacity: max(bound.count, 1))
    for (i, (argument, memory)) in bound.enumerated() {
      (arguments + i).initialize(to: dnnl_exec_arg_t(arg: argument, memory: memory.handle))
    }
  }
  deinit { arguments.deallocate() }

  @inline(__always)
  func execute(on stream: dnnl_stream_t) -> dnnl_status_t {
    dnnl_primitive_execute(primitive.handle, stream, count, arguments)
  }
}

/// Owns the arguments of one of our own kernels.
final class KernelArguments<Arguments> {
  let pointer: UnsafeMutablePointer<Arguments>
  init(_ arguments: Arguments) {
    pointer = .allocate(capacity: 1)
    pointer.initialize(to: arguments)
  }
  deinit { pointer.deallocate() }
}
