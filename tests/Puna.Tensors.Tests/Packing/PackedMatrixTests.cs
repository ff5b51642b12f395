using System.Security.Cryptography;

namespace Puna.Tensors.Tests.Packing;

public sealed class PackedMatrixTests
{
    [Fact]
    public void TheVersionNamesThePackedBytes()
    {
        // Packed forms are kept on disk under this version. Whoever changes what Pack makes of any type gives it a new one, and notes the new hash here.
        Assert.Equal(("rows16-1", "023c27689187eff2"), (PackedMatrix.Version, HashOfAllTypes(2)));
        Assert.Equal(PackedMatrix.Version, new CpuOps(1).PackedVersion);
    }

    [Fact]
    public void ThreadsChangeNothing() => Assert.Equal(HashOfAllTypes(1), HashOfAllTypes(3));

    private static string HashOfAllTypes(int threads)
    {
        using var ops = new CpuOps(threads);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (DType type in Enum.GetValues<DType>().Where(type => type.IsFloat() || type.IsBlock()).OrderBy(type => type.Name(), StringComparer.Ordinal))
        {
            // Rows that leave a tile half empty, and memory that is not clear, so that every byte has to be written.
            Tensor tensor = Tensor.Create(new Shape(23, 512), type);
            for (int r = 0; r < 23; r++)
            {
                Span<byte> row = tensor.Row<byte>(r);
                for (int i = 0; i < row.Length; i++)
                {
                    row[i] = (byte)(((i * 7) + (r * 31)) % 120); // below the exponent of infinity
                }
            }

            nint bytes = PackedMatrix.Bytes(type, 23, 512);
            using var storage = new NativeStorage(bytes);
            storage.Span<byte>(0, (int)bytes).Fill(0xA5);
            ops.Pack(new Weight(type.Name(), tensor), storage, 0);
            hash.AppendData(storage.Span<byte>(0, (int)bytes));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }
}
