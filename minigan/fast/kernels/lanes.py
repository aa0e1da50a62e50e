"""Vector instructions for the micro-kernels.

Numba vectorises plain loops by itself. These instructions are for the few loops in which we choose
which numbers are in which register. They are used inside `@intrinsic` functions only.
"""

from llvmlite import ir
from numba.core import cgutils, types

from .machine import VECTOR_BYTES

INDEX = ir.IntType(64)
_LANE = ir.IntType(32)


class Lanes:
    """Emits LLVM instructions on vectors of one float type; a vector has `count` numbers."""

    def __init__(self, builder, dtype):
        self.builder = builder
        self.bytes = dtype.bitwidth // 8
        self.count = VECTOR_BYTES // self.bytes
        self.scalar = ir.FloatType() if dtype == types.float32 else ir.DoubleType()
        self.vector = ir.VectorType(self.scalar, self.count)
        self.zero = ir.Constant(self.vector, [0.0] * self.count)
        self._undefined = ir.Constant(self.vector, ir.Undefined)

    def multiply_add(self, a, b, c):
        """a b + c, as one fused instruction if the processor has it."""
        function = cgutils.get_or_insert_function(
            self.builder.module,
            ir.FunctionType(self.vector, [self.vector] * 3),
            f"llvm.fmuladd.v{self.count}f{self.bytes * 8}",
        )
        return self.builder.call(function, [a, b, c])

    def sums(self, vectors):
        """The sum of the numbers in each of these vectors, in one vector of as many lanes.

        The number of vectors is a power of two, at most `count`. Each round adds neighbouring
        lanes of two vectors, which leaves half as many vectors.
        """
        number, lanes = len(vectors), list(range(2 * self.count))
        while len(vectors) > 1:
            pairs = zip(vectors[::2], vectors[1::2])
            vectors = [
                self.builder.fadd(self._pick(a, b, lanes[::2]), self._pick(a, b, lanes[1::2]))
                for a, b in pairs
            ]
        [vector], each = vectors, self.count // number  # lanes that are left of each vector
        for half in (each >> n for n in range(1, each.bit_length())):
            other = self._pick(vector, self._undefined, [i ^ half for i in range(self.count)])
            vector = self.builder.fadd(vector, other)
        return self._pick(vector, self._undefined, range(0, self.count, each))

    def broadcast(self, number):
        """A vector with `number` in every lane."""
        first = self.builder.insert_element(self._undefined, number, _LANE(0))
        return self._pick(first, self._undefined, [0] * self.count)

    def hidden_copy(self, integer):
        """The same integer, in a form that LLVM cannot recognise as equal: so it does not merge two
        loads from the same address."""
        kind = ir.FunctionType(integer.type, [integer.type])
        return self.builder.asm(kind, "", "=r,0", [integer], False)

    def address(self, pointer, numbers):
        """`pointer` advanced by `numbers` elements."""
        if isinstance(numbers, int):
            numbers = INDEX(numbers)
        return self.builder.gep(pointer, [numbers])

    def load(self, pointer, vectors=0):
        return self.builder.load(self._vector_at(pointer, vectors), align=self.bytes)

    def store(self, value, pointer, vectors=0):
        self.builder.store(value, self._vector_at(pointer, vectors), align=self.bytes)

    def copy(self, source, target, numbers):
        """Copies `numbers` contiguous numbers with one load and one store."""
        vector = ir.VectorType(self.scalar, numbers).as_pointer()
        value = self.builder.load(self.builder.bitcast(source, vector), align=self.bytes)
        self.builder.store(value, self.builder.bitcast(target, vector), align=self.bytes)

    def prefetch(self, pointer, vectors=0, to_write=False):
        """Prefetches one vector: into L2 to be read later, or exclusively into L1 to be written.

        An address beyond the end of an array is harmless.
        """
        bits = ir.IntType(32)
        pointer = self.builder.bitcast(
            self.address(pointer, vectors * self.count), ir.IntType(8).as_pointer()
        )
        function = cgutils.get_or_insert_function(
            self.builder.module,
            ir.FunctionType(ir.VoidType(), [pointer.type, bits, bits, bits]),
            "llvm.prefetch.p0",
        )
        levels = 3 if to_write else 2  # LLVM's locality: 3 is L1, 2 is L2
        self.builder.call(function, [pointer, bits(int(to_write)), bits(levels), bits(1)])

    def _vector_at(self, pointer, vectors):
        address = self.address(pointer, vectors * self.count)
        return self.builder.bitcast(address, self.vector.as_pointer())

    def transpose(self, rows):
        """Transposes `count` registers as a square matrix, in log2(count) rounds.

        Each round interleaves the first half of the registers with the second half, which moves one
        bit of the row index into the column index.
        """
        half = self.count // 2
        low = [lane for i in range(half) for lane in (i, i + self.count)]
        high = [lane + half for lane in low]
        for _ in range(self.count.bit_length() - 1):
            pairs = zip(rows[:half], rows[half:])
            rows = [self._pick(a, b, lanes) for a, b in pairs for lanes in (low, high)]
        return rows

    def _pick(self, a, b, lanes):
        """The vector of these lanes of a and b: lane i of a is i, lane i of b is `count` + i."""
        mask = ir.Constant(ir.VectorType(_LANE, len(lanes)), list(lanes))
        return self.builder.shuffle_vector(a, b, mask)


def data_pointer(context, builder, signature, arguments, position):
    """The address of an array argument's first number."""
    array = context.make_array(signature.args[position])
    return array(context, builder, arguments[position]).data
