// Drives the JPEG reader over the files that it is given, whole, cut short and with bytes changed; and the part of the MPI
// shim that needs no MPI. For the sanitizers; see kernels.c.
#include "CJPEG.h"
#include "CMPI.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int decoded, refused;

static void decode(const uint8_t *bytes, size_t count, int32_t reduction, int whole) {
  char message[CJPEG_MESSAGE];
  cjpeg_decoder *decoder = cjpeg_open(bytes, count, message);
  if (!decoder) {
    refused++;
    return;
  }
  int32_t width = (cjpeg_width(decoder) + reduction - 1) / reduction, height = (cjpeg_height(decoder) + reduction - 1) / reduction;
  if ((int64_t)width * height < 1 << 22) {
    int32_t left = whole ? 0 : width / 3, top = whole ? 0 : height / 4;
    int32_t w = whole ? width : (width - left + 1) / 2, h = whole ? height : (height - top + 1) / 2;
    uint8_t *pixels = malloc((size_t)w * (size_t)h * 4);
    if (cjpeg_decode(decoder, reduction, left, top, w, h, pixels, message)) refused++;
    else decoded++;
    free(pixels);
  }
  cjpeg_close(decoder);
}

int main(int count, char **paths) {
  for (int i = 1; i < count; i++) {
    FILE *file = fopen(paths[i], "rb");
    if (!file) return 1;
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    // In memory of exactly its size, so that reading on is seen.
    uint8_t *bytes = malloc(size);
    if (fread(bytes, 1, size, file) != size) return 1;
    fclose(file);
    for (int32_t reduction = 1; reduction <= 8; reduction *= 2)
      for (int whole = 0; whole < 2; whole++) decode(bytes, size, reduction, whole);
    for (int part = 0; part < 16; part++) {
      size_t length = size * (size_t)part / 16;
      uint8_t *cut = malloc(length ? length : 1);
      memcpy(cut, bytes, length);
      decode(cut, length, 2, 1);
      free(cut);
    }
    uint64_t state = 7;
    for (int change = 0; change < 60; change++) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      size_t place = (size_t)(state >> 33) % (change % 2 && size > 700 ? 700 : size);
      uint8_t before = bytes[place];
      bytes[place] = (uint8_t)(state >> 24);
      decode(bytes, size, 4, change % 3 != 0);
      bytes[place] = before;
    }
    free(bytes);
  }
  printf("JPEG: %d decoded, %d refused; %d of %d processors\n", decoded, refused, cmpi_usable_processors(), cmpi_all_processors());
  return decoded == 0;
}
