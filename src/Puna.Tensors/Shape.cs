using System.Runtime.CompilerServices;

namespace Puna.Tensors;

/// <summary>The sizes of a tensor's dimensions, outermost first, as in PyTorch: a linear weight is <c>[out, in]</c>. At most eight dimensions; a value, no heap.</summary>
public readonly struct Shape : IEquatable<Shape>
{
    /// <summary>The largest rank.</summary>
    public const int MaxRank = 8;

    private readonly Dimensions _sizes;
    private readonly long _count;

    /// <summary>Creates a shape. No size may be negative, and their product must fit 63 bits.</summary>
    /// <exception cref="PunaException">A negative size, more than eight dimensions, or a product that overflows.</exception>
    public Shape(params ReadOnlySpan<long> sizes)
    {
        if (sizes.Length > MaxRank)
        {
            throw new PunaException($"shape: expected at most {MaxRank} dimensions, got {sizes.Length}");
        }

        long count = 1;
        bool empty = sizes.Contains(0);
        for (int i = 0; i < sizes.Length; i++)
        {
            long size = sizes[i];
            if (size < 0 || (!empty && count > long.MaxValue / size))
            {
                throw new PunaException($"shape [{string.Join(", ", sizes.ToArray())}]: expected sizes whose product fits 63 bits");
            }

            _sizes[i] = size;
            count *= empty ? 1 : size;
        }

        Rank = sizes.Length;
        _count = empty ? 0 : count;
    }

    /// <summary>Number of dimensions; 0 is a scalar.</summary>
    public int Rank { get; }

    /// <summary>Number of elements.</summary>
    public long Count => Rank == 0 ? 1 : _count;

    /// <summary>Size of the innermost dimension; 1 for a scalar.</summary>
    public long Columns => Rank == 0 ? 1 : _sizes[Rank - 1];

    /// <summary>Product of all dimensions but the innermost; 1 for a scalar or a vector.</summary>
    public long Rows
    {
        get
        {
            long rows = 1;
            for (int i = 0; i < Rank - 1; i++)
            {
                rows *= _sizes[i];
            }

            return rows;
        }
    }

    /// <summary>Size of dimension <paramref name="i"/>, outermost first.</summary>
    public long this[int i] => (uint)i < (uint)Rank ? _sizes[i] : throw new ArgumentOutOfRangeException(nameof(i));

    /// <summary>The sizes as a new array, outermost first.</summary>
    public long[] ToArray()
    {
        var sizes = new long[Rank];
        for (int i = 0; i < Rank; i++)
        {
            sizes[i] = _sizes[i];
        }

        return sizes;
    }

    /// <inheritdoc/>
    public bool Equals(Shape other)
    {
        if (Rank != other.Rank)
        {
            return false;
        }

        for (int i = 0; i < Rank; i++)
        {
            if (_sizes[i] != other._sizes[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        for (int i = 0; i < Rank; i++)
        {
            hash.Add(_sizes[i]);
        }

        return hash.ToHashCode();
    }

    /// <summary>For example <c>[4096, 11008]</c>.</summary>
    public override string ToString() => $"[{string.Join(", ", ToArray())}]";

    /// <summary>Same sizes.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Different sizes.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    [InlineArray(MaxRank)]
    private struct Dimensions
    {
        private long _first;
    }
}
