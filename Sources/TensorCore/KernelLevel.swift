import CKernels

/// Which kernels run on this processor.
package enum KernelLevel {
    /// `avx512`, `avx2` or `portable`.
    package static var current: String { String(cString: ck_level_name(ck_current_level())) }

    /// All levels there are, the best last; a processor has those up to its best.
    package static let all = [ck_portable, ck_avx2, ck_avx512].map { String(cString: ck_level_name($0)) }

    /// The levels that this processor has, the best last.
    package static var available: [String] { Array(all.prefix { $0 != best } + [best]) }

    private static var best: String { String(cString: ck_level_name(ck_best_level())) }

    /// Which of them multiply eight-bit integers: `avx512vnni`, `avx2` or `portable`.
    package static var int8: String { String(cString: ck_int8_name()) }
}
