namespace Puna.Tensors;

/// <summary>How a weight's values lie in memory once they are packed for a kernel.</summary>
public enum PackedLayout
{
    /// <summary>Rows as in the file: types without a layout of their own are decoded when they are multiplied.</summary>
    Rows,

    /// <summary>Float32, tiles of 16 rows, for each input the values of the 16 rows.</summary>
    Float32,

    /// <summary>Float16 or bfloat16, tiles of 16 rows, for each pair of inputs the pairs of the 16 rows.</summary>
    Float16,

    /// <summary>Integer codes in bit planes with their scales, tiles of 16 rows (see <c>IIntegerForm</c>).</summary>
    Integer,
}
