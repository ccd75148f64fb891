// PNG through libpng: a whole image as Pillow's convert("RGB") gives it. Its API reports errors by longjmp, which must not
// cross Swift; so this much is C.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Bytes of a message, with the zero at its end.
#define CPNG_MESSAGE 256

// Decodes an image of `width` x `height` pixels, as its header says, into rows of four bytes per pixel: red, green, blue,
// and one of no meaning. Transparency, gamma and the colour space are passed over; of an animation the default image
// counts. 0 where it went well, else a message.
int cpng_decode(const uint8_t *bytes, size_t count, int32_t width, int32_t height, uint8_t *pixels,
                char message[CPNG_MESSAGE]);

// The version of the library that is loaded: `1.6.39`.
const char *cpng_version(void);

#ifdef __cplusplus
}
#endif
