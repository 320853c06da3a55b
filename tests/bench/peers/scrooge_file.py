# SPDX-License-Identifier: Apache-2.0
"""Reads a .scrooge file from its documented bytes alone (schema/README.md), sharing no code with Scrooge: a second
opinion on the format. tensors(path) gives every weight as a float32 array."""
import mmap
import struct

import numpy

MAGIC = b"\x89SCRG\r\n\x1a"
DENSE, QUANTIZED, AUXILIARY = range(3)
DATA, CODES, SCALES, ZEROS, INPUT_SCALE = range(5)
F32, F16, BF16 = range(3)


class Table:
    """One FlatBuffers table; fields are named by their ids in scrooge_model.fbs."""

    def __init__(self, data, position):
        self.data, self.position = data, position
        self.vtable = position - struct.unpack_from("<i", data, position)[0]
        self.vtable_bytes = struct.unpack_from("<H", data, self.vtable)[0]

    def _at(self, field):
        entry = 4 + 2 * field
        offset = struct.unpack_from("<H", self.data, self.vtable + entry)[0] if entry < self.vtable_bytes else 0
        return self.position + offset if offset else None

    def _follow(self, at):
        return at + struct.unpack_from("<I", self.data, at)[0]

    def number(self, field, code, default=0):
        at = self._at(field)
        return default if at is None else struct.unpack_from("<" + code, self.data, at)[0]

    def table(self, field):
        at = self._at(field)
        return None if at is None else Table(self.data, self._follow(at))

    def string(self, field):
        at = self._at(field)
        if at is None:
            return ""
        start = self._follow(at)
        size = struct.unpack_from("<I", self.data, start)[0]
        return bytes(self.data[start + 4:start + 4 + size]).decode()

    def tables(self, field):
        at = self._at(field)
        if at is None:
            return
        start = self._follow(at)
        for i in range(struct.unpack_from("<I", self.data, start)[0]):
            yield Table(self.data, self._follow(start + 4 + 4 * i))


def _floats(raw, dtype):
    if dtype == F32:
        return numpy.frombuffer(raw, "<f4")
    if dtype == F16:
        return numpy.frombuffer(raw, "<f2").astype(numpy.float32)
    if dtype == BF16:
        return (numpy.frombuffer(raw, "<u2").astype(numpy.uint32) << 16).view(numpy.float32)
    raise ValueError(f"data type {dtype}")


def _codes(raw, rows, count, bits):
    """Each row a little-endian bit stream, padded to whole bytes."""
    stream = numpy.unpackbits(numpy.frombuffer(raw, numpy.uint8).reshape(rows, -1), axis=1, bitorder="little")
    digits = stream[:, :count * bits].reshape(rows, count, bits)
    codes = numpy.zeros((rows, count), numpy.int32)
    for bit in range(bits):
        codes |= digits[:, :, bit].astype(numpy.int32) << bit
    return codes


def _dequantize(tensor, rows, columns, planes):
    scheme = tensor.table(5)
    bits, group, dtype = scheme.number(0, "B"), scheme.number(1, "I") or columns, scheme.number(4, "B")
    if scheme.number(9, "H") != 0:
        raise ValueError("only the canonical layout is known")
    groups = -(-columns // group)
    value = _codes(planes[CODES], rows, columns, bits) - scheme.number(8, "i")
    if scheme.number(6, "B"):
        zeros = _codes(planes[ZEROS], rows, groups, bits) - scheme.number(7, "i")
        value -= numpy.repeat(zeros, group, axis=1)[:, :columns]
    scales = _floats(planes[SCALES], dtype).reshape(rows, groups)
    weight = value * numpy.repeat(scales, group, axis=1)[:, :columns]
    if INPUT_SCALE in planes and not tensor.number(7, "?"):  # not folded: the runtime divides the input
        weight = weight / _floats(planes[INPUT_SCALE], F32)
    return weight.astype(numpy.float32)


def tensors(path):
    """Yields (name, is_quantized, float32 array [rows, columns]); auxiliary tensors are left out."""
    with open(path, "rb") as file:
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    if bytes(data[:8]) != MAGIC or struct.unpack_from("<H", data, 8)[0] != 1:
        raise ValueError(f"{path} is not a .scrooge file of format 1")
    start, size, file_size = struct.unpack_from("<QQQ", data, 24)
    if file_size != len(data):
        raise ValueError(f"{path} should have {file_size} bytes")
    index = data[start:start + size]
    model = Table(index, struct.unpack_from("<I", index, 0)[0])
    for tensor in model.tables(17):
        kind, rows, columns = tensor.number(3, "B"), tensor.number(1, "Q"), tensor.number(2, "Q")
        if kind == AUXILIARY:
            continue
        planes = {}
        for plane in tensor.tables(6):
            offset = plane.number(2, "Q")
            planes[plane.number(0, "B")] = data[offset:offset + plane.number(3, "Q")]
        if kind == QUANTIZED:
            yield tensor.string(0), True, _dequantize(tensor, rows, columns, planes)
        else:
            yield tensor.string(0), False, _floats(planes[DATA], tensor.number(4, "B")).reshape(rows, columns)
