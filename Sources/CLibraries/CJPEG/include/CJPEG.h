// JPEG through libjpeg-turbo: a part of an image, at its size or a fraction of it. Its API reports errors by longjmp,
// which must not cross Swift; so this much is C.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Bytes of a message, with the zero at its end.
#define CJPEG_MESSAGE 256

typedef struct cjpeg_decoder cjpeg_decoder;

// Reads the header. `bytes` must stay until the decoder is closed. NULL where it is no JPEG, with a message.
cjpeg_decoder *cjpeg_open(const uint8_t *bytes, size_t count, char message[CJPEG_MESSAGE]);
int32_t cjpeg_width(const cjpeg_decoder *decoder);
int32_t cjpeg_height(const cjpeg_decoder *decoder);

// Decodes a rectangle of the image at 1/reduction of its size (1, 2, 4 or 8; ceil(width / reduction) pixels wide) into
// rows of four bytes per pixel: red, green, blue, and one of no meaning. Grey has three equal bytes; CMYK is turned to
// RGB as Pillow does. Once per decoder. 0 where it went well, else a message.
int cjpeg_decode(cjpeg_decoder *decoder, int32_t reduction, int32_t left, int32_t top, int32_t width, int32_t height,
                 uint8_t *pixels, char message[CJPEG_MESSAGE]);
void cjpeg_close(cjpeg_decoder *decoder);

// The version of the library that this was built with: `2.1.5`.
const char *cjpeg_version(void);

#ifdef __cplusplus
}
#endif
