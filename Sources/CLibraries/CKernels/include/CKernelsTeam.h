// The team of threads that kernels run on, and what its processors note.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Sets the team size of the calling thread, and flush-to-zero and denormals-are-zero on each thread of the team. Returns
// how many threads there are: at least 1, and fewer than asked for where the system or OpenMP's settings give no more.
int rk_prepare_team(int threads);
// The control words (MXCSR) of the team's threads; returns how many were written.
int rk_control_words(uint32_t *words, int capacity);
// Whether a thread of the team has met NaN, or infinities that make one, since they were last told to forget it. The
// processor notes it at no cost, in oneDNN's kernels too, though an activation hides the number; a step may also meet it
// where nothing comes of it.
void rk_forget_invalid(void);
int rk_saw_invalid(void);
// The channel block of oneDNN's blocked formats on this processor: 16 with AVX-512, else 8.
int rk_channel_block(void);

#ifdef __cplusplus
}
#endif
