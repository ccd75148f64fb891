internal import CDNNL
internal import CKernels
internal import Dispatch
internal import Foundation
public import Networks
internal import Tensors

/// The processor as Reprise uses it: compiles networks to plans and runs them on one team of threads.
public final class Engine: Sendable {
  /// How convolutions may be computed.
  public enum Convolutions: Hashable, Sendable {
    /// By summing products alone.
    case direct
    /// By Winograd's minimal filtering too, F(4x4, 3x3) of Lavin and Gray 2016 (arXiv:1509.09308), which multiplies
    /// less and rounds more.
    case fastest
  }

  let device: Device
  let compute: ComputeThread
  /// Threads of the team.
  public let threads: Int
  /// As many as were asked for, or as there are processors; `threads` may be fewer.
  public let wantedThreads: Int
  public let convolutions: Convolutions

  /// Starts the team, of fewer threads than asked for where the system or OpenMP's settings give no more.
  /// - Parameter threads: as many as the processor has unless given.
  /// - Throws: `EngineError.library` where oneDNN does not start, `.noThread` where the system gives no thread.
  public init(threads: Int? = nil, convolutions: Convolutions = .fastest) throws(EngineError) {
    self.convolutions = convolutions
    wantedThreads = max(threads ?? ProcessInfo.processInfo.activeProcessorCount, 1)
    device = try Device()
    compute = try ComputeThread(threads: wantedThreads)
    self.threads = compute.threads
  }

  /// What a user should know where the team is smaller than asked for; nil where it is not.
  public var threadsNote: String? {
    guard threads < wantedThreads else { return nil }
    let limits = ["OMP_THREAD_LIMIT", "OMP_MAX_ACTIVE_LEVELS"].filter { ProcessInfo.processInfo.environment[$0] != nil }
    let reason = limits.isEmpty ? "the system gives no more" : "\(limits.joined(separator: " and ")) may allow no more"
    return "note: \(threads) of \(wantedThreads) threads compute: \(reason)"
  }

  deinit { compute.close() }

  /// The version of the kernel library: `oneDNN 2.6.3`.
  public static var libraryVersion: String {
    let version = dnnl_version().pointee
    return "oneDNN \(version.major).\(version.minor).\(version.patch)"
  }

  /// The kind of processor, which decides what oneDNN computes with: results repeat to the bit on one kind alone.
  public static var processor: String {
    let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let model = information.split(separator: "\n").first { $0.hasPrefix("model name") }
    let name = model?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces) ?? "a processor without a name"
    return "\(name), \(instructionSet)"
  }

  /// The instructions that oneDNN uses.
  public static var instructionSet: String {
    let names = [
      dnnl_cpu_isa_sse41: "SSE4.1", dnnl_cpu_isa_avx: "AVX", dnnl_cpu_isa_avx2: "AVX2",
      dnnl_cpu_isa_avx2_vnni: "AVX2-VNNI", dnnl_cpu_isa_avx512_mic: "AVX-512", dnnl_cpu_isa_avx512_core: "AVX-512",
      dnnl_cpu_isa_avx512_core_vnni: "AVX-512 VNNI", dnnl_cpu_isa_avx512_core_bf16: "AVX-512 BF16",
      dnnl_cpu_isa_avx512_core_amx: "AMX",
    ].map { ($0.key.rawValue, $0.value) }
    let isa = dnnl_get_effective_cpu_isa()
    return names.first { $0.0 == isa.rawValue }?.1 ?? "ISA \(isa.rawValue)"
  }

  /// The channel block of the blocked formats that oneDNN's kernels write: 16 with AVX-512, else 8.
  static var channelBlock: Int {
    let (isa, wide) = (dnnl_get_effective_cpu_isa().rawValue, dnnl_cpu_isa_avx512_core.rawValue)
    return isa & wide == wide ? 16 : 8
  }

  /// Plans a network for a batch.
  /// - Parameters:
  ///   - batch: samples in a step.
  ///   - mode: for training, or for inference with batch norms folded away, in float32 or in integers.
  ///   - precision: what it computes with; of `int8`, and of fake-quantized networks, float32 alone.
  ///   - taps: layers whose activation (and, in training, gradient) can be read after a step. They are not fused.
  /// - Throws: `EngineError`; `.precision` where the processor lacks it.
  public func compile(
    _ network: Network, batch: Int, mode: Plan.Mode, precision: Precision = .float32, taps: Set<Network.Node> = []
  ) throws(EngineError) -> Plan {
    try compile(network, batch: batch, mode: mode, precision: precision, taps: taps, normReduction: nil)
  }

  /// - Parameter normReduction: how batch norms in training see other processes' samples; their own alone where nil.
  package func compile(
    _ network: Network, batch: Int, mode: Plan.Mode, precision: Precision = .float32, taps: Set<Network.Node> = [],
    normReduction: NormReduction?
  ) throws(EngineError) -> Plan {
    guard batch > 0 else { throw .emptyBatch }
    // Counts of bytes, gradients and scratch beside, must stay numbers.
    for layer in network.layers {
      let (count, overflows) = layer.shape.elementCount.multipliedReportingOverflow(by: batch)
      guard !overflows, count <= 1 << 50 else { throw .outOfMemory(byteCount: .max) }
    }
    try Engine.mustSupport(precision)
    if precision != .float32, mode == .int8 || network.isQuantized { throw .quantizedPrecision(precision) }
    // With taps every layer keeps a place of its own.
    let folds = !mode.isTraining && taps.isEmpty
    var planned = network
    if folds { do { planned = try FoldBatchNorm()(network, [:]).0 } catch { throw .shape(error) } }
    return try compute.run { [planned] () -> Result<Plan, EngineError> in
      do throws(EngineError) {
        var builder = try PlanBuilder(
          planned, source: network, batch: batch, mode: mode, precision: precision, taps: taps, engine: self,
          normReduction: normReduction)
        return .success(try builder.plan())
      } catch { return .failure(error) }
    }.get()
  }

  /// What the processor reaches on work that suits it best: a product of two square matrices in float32, in
  /// floating-point operations a second.
  /// - Throws: `EngineError.library`, or `.tensor` where there is no memory.
  package func matrixProductRate(size: Int = 2048) throws(EngineError) -> Double {
    let a = try zeros([size, size])
    let b = a
    var product = a
    let best: Double = compute.run {
      a.withUnsafeElements { a in
        b.withUnsafeElements { b in
          product.withUnsafeMutableElements { product in
            var best = Double.infinity
            for _ in 0..<6 {
              let begun = DispatchTime.now().uptimeNanoseconds
              let n = Int64(size)
              dnnl_sgemm(78, 78, n, n, n, 1, a.baseAddress!, n, b.baseAddress!, n, 0, product.baseAddress!, n)  // 78: N
              best = min(best, Double(DispatchTime.now().uptimeNanoseconds - begun) * 1e-9)
            }
            return best
          }
        }
      }
    }
    return 2 * Double(size) * Double(size) * Double(size) / best
  }

  /// The control words (MXCSR) of the team's threads, to see that denormals are flushed.
  package var controlWords: [UInt32] {
    compute.run {
      var words = [UInt32](repeating: 0, count: threads)
      let count = rk_control_words(&words, Int32(threads))
      return Array(words.prefix(Int(count)))
    }
  }
}
