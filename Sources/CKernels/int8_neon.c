#if defined(__aarch64__)
#include <arm_neon.h>
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#define CK_INT8_TABLE ck_int8_neon
#define CK_INT8_NAME "neon"
#define CK_MASKED 0
#include "vectors.inc"

// `sdot` multiplies signed bytes: the unsigned activations lose 128 each, and the epilogue's zero point with them.
#define CK_SHIFT 128

typedef struct {
    int32x4_t of[4];
} lane_sums;
typedef struct {
    int8x16_t of[4];
} weight_panel;
typedef int8x16_t quad;

INLINE weight_panel load_panel(const int8_t *p) {
    return (weight_panel){{vld1q_s8(p), vld1q_s8(p + 16), vld1q_s8(p + 32), vld1q_s8(p + 48)}};
}

INLINE quad load_quad(const uint8_t *p) {
    uint32_t four;
    memcpy(&four, p, sizeof four);
    return vreinterpretq_s8_u32(vdupq_n_u32(four ^ 0x80808080u));
}

INLINE void hide(quad *a) { __asm__ volatile("" : "+w"(*a)); }

INLINE lane_sums multiply_add(lane_sums sum, quad a, weight_panel b) {
    return (lane_sums){{vdotq_s32(sum.of[0], b.of[0], a), vdotq_s32(sum.of[1], b.of[1], a), vdotq_s32(sum.of[2], b.of[2], a),
                        vdotq_s32(sum.of[3], b.of[3], a)}};
}

INLINE lane_sums no_sums(void) { return (lane_sums){{vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)}}; }

INLINE void store_sums(int32_t *p, lane_sums v) {
    vst1q_s32(p, v.of[0]), vst1q_s32(p + 4, v.of[1]), vst1q_s32(p + 8, v.of[2]), vst1q_s32(p + 12, v.of[3]);
}

// 6 rows × 16 columns: 24 of the 32 vector registers accumulate, 4 hold weights.
#define CK_ROWS 6
#define CK_PANELS 1
#define CK_FEW_ROWS 2
#define CK_WIDE_PANELS 2
#define CK_EACH_TILE(T) T(1, 1) T(1, 2) T(2, 1) T(2, 2) T(3, 1) T(4, 1) T(5, 1) T(6, 1)
#include "int8.inc"
#pragma clang attribute pop
#endif
