import CKernels

/// Which kernels run on this processor.
package enum KernelLevel {
    /// `avx512`, `avx2` or `portable`.
    package static var current: String { String(cString: ck_level_name(ck_current_level())) }

    /// Which of them multiply eight-bit integers: `avx512vnni`, `avx2` or `portable`.
    package static var int8: String { String(cString: ck_int8_name()) }
}
