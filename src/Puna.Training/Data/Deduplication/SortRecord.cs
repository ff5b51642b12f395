namespace Puna.Training.Data;

/// <summary>Three numbers, ordered by the first, then the second, then the third.</summary>
internal readonly record struct SortRecord(ulong A, ulong B, ulong C) : IComparable<SortRecord>
{
    public const int Bytes = 24;

    public int CompareTo(SortRecord other) => A != other.A ? A.CompareTo(other.A) : B != other.B ? B.CompareTo(other.B) : C.CompareTo(other.C);
}
