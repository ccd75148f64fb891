#include "FlatBuffers.h"

#include <flatbuffers/flatbuffers.h>

#include <new>

struct cflat_builder {
  flatbuffers::FlatBufferBuilder builder;
  // Set once memory ran out; nothing is written any more.
  bool failed = false;
  explicit cflat_builder(size_t bytes) : builder(bytes) {}
};

namespace {
using flatbuffers::Offset;
using flatbuffers::voffset_t;

// Fields lie at fixed distances in the list that begins each table.
voffset_t field(uint16_t slot) { return flatbuffers::FieldIndexToOffset(slot); }

template <typename Work> uint32_t guarded(cflat_builder *self, Work work) {
  if (self->failed) return 0;
  try {
    return work(self->builder);
  } catch (...) {
    self->failed = true;
    return 0;
  }
}

template <typename Number> uint32_t vector(cflat_builder *self, const Number *numbers, size_t count) {
  return guarded(self, [=](auto &builder) { return builder.CreateVector(numbers, count).o; });
}
}  // namespace

cflat_builder *cflat_make(size_t bytes) {
  try {
    return new cflat_builder(bytes);
  } catch (...) {
    return nullptr;
  }
}

void cflat_free(cflat_builder *builder) { delete builder; }

uint32_t cflat_string(cflat_builder *self, const char *text, size_t count) {
  return guarded(self, [=](auto &builder) { return builder.CreateString(text, count).o; });
}

uint32_t cflat_bytes(cflat_builder *self, const uint8_t *bytes, size_t count) {
  return guarded(self, [=](auto &builder) {
    builder.ForceVectorAlignment(count, sizeof(uint8_t), 16);
    return builder.CreateVector(bytes, count).o;
  });
}

uint32_t cflat_ints(cflat_builder *self, const int32_t *numbers, size_t count) { return vector(self, numbers, count); }
uint32_t cflat_longs(cflat_builder *self, const int64_t *numbers, size_t count) { return vector(self, numbers, count); }
uint32_t cflat_floats(cflat_builder *self, const float *numbers, size_t count) { return vector(self, numbers, count); }

uint32_t cflat_places(cflat_builder *self, const uint32_t *places, size_t count) {
  return guarded(self, [=](auto &builder) {
    builder.StartVector(count, sizeof(uint32_t));
    for (size_t i = count; i > 0; i--) builder.PushElement(Offset<void>(places[i - 1]));
    return builder.EndVector(count);
  });
}

uint32_t cflat_begin_table(cflat_builder *self) {
  return guarded(self, [](auto &builder) { return builder.StartTable(); });
}

void cflat_add_byte(cflat_builder *self, uint16_t slot, int8_t number, int8_t standard) {
  guarded(self, [=](auto &builder) {
    builder.AddElement(field(slot), number, standard);
    return 0u;
  });
}

void cflat_add_int(cflat_builder *self, uint16_t slot, int32_t number, int32_t standard) {
  guarded(self, [=](auto &builder) {
    builder.AddElement(field(slot), number, standard);
    return 0u;
  });
}

void cflat_add_place(cflat_builder *self, uint16_t slot, uint32_t place) {
  guarded(self, [=](auto &builder) {
    builder.AddOffset(field(slot), Offset<void>(place));
    return 0u;
  });
}

uint32_t cflat_end_table(cflat_builder *self, uint32_t begin) {
  return guarded(self, [=](auto &builder) { return builder.EndTable(begin); });
}

void cflat_finish(cflat_builder *self, uint32_t root, const char *identifier) {
  guarded(self, [=](auto &builder) {
    builder.Finish(Offset<void>(root), identifier);
    return 0u;
  });
}

const uint8_t *cflat_contents(const cflat_builder *self, size_t *count) {
  if (self->failed) return nullptr;
  *count = self->builder.GetSize();
  return self->builder.GetBufferPointer();
}
