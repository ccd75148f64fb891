// The writing half of the FlatBuffers library, without a schema of its own: whoever calls it knows the slots of each
// table. FlatBuffers is C++ and may throw, which must not cross Swift; so this much is a C interface.
//
// What a table refers to is written before the table. Places are those that FlatBuffers hands out, counted from the end
// of the file.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cflat_builder cflat_builder;

// `bytes`: what the file will take, about. NULL where there is no memory.
cflat_builder *cflat_make(size_t bytes);
void cflat_free(cflat_builder *builder);

// Vectors; each returns its place.
uint32_t cflat_string(cflat_builder *builder, const char *text, size_t count);
// Begins at a multiple of 16 bytes from the start of the file.
uint32_t cflat_bytes(cflat_builder *builder, const uint8_t *bytes, size_t count);
uint32_t cflat_ints(cflat_builder *builder, const int32_t *numbers, size_t count);
uint32_t cflat_longs(cflat_builder *builder, const int64_t *numbers, size_t count);
uint32_t cflat_floats(cflat_builder *builder, const float *numbers, size_t count);
uint32_t cflat_places(cflat_builder *builder, const uint32_t *places, size_t count);

// A table: begin, its fields, end. A number that is its field's default is left out, as the format has it.
uint32_t cflat_begin_table(cflat_builder *builder);
void cflat_add_byte(cflat_builder *builder, uint16_t slot, int8_t number, int8_t standard);
void cflat_add_int(cflat_builder *builder, uint16_t slot, int32_t number, int32_t standard);
void cflat_add_place(cflat_builder *builder, uint16_t slot, uint32_t place);
// Returns the table's place.
uint32_t cflat_end_table(cflat_builder *builder, uint32_t begin);

// Ends the file with its root table. `identifier`: four letters and a zero.
void cflat_finish(cflat_builder *builder, uint32_t root, const char *identifier);
// The finished file, until the builder is freed. NULL where there was no memory for all of it.
const uint8_t *cflat_contents(const cflat_builder *builder, size_t *count);

#ifdef __cplusplus
}
#endif
