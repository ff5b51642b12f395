using Puna.Tensors;

namespace Puna.Tensors.Tests;

public class ShapeTests
{
    [Fact]
    public void CountsRowsAndColumns()
    {
        var shape = new Shape(2, 3, 4);
        Assert.Equal(24, shape.Count);
        Assert.Equal(6, shape.Rows);
        Assert.Equal(4, shape.Columns);
        Assert.Equal("[2, 3, 4]", shape.ToString());
        Assert.Equal(shape, new Shape(2, 3, 4));
        Assert.NotEqual(shape, new Shape(3, 2, 4));
    }

    [Fact]
    public void ScalarHasOneElement() => Assert.Equal(1, new Shape().Count);

    [Fact]
    public void EmptyShapesDoNotOverflow() => Assert.Equal(0, new Shape(long.MaxValue, long.MaxValue, 0).Count);

    [Fact]
    public void OverflowIsAnError() => Assert.Throws<PunaException>(() => new Shape(1L << 40, 1L << 40));

    [Fact]
    public void NegativeSizesAreAnError() => Assert.Throws<PunaException>(() => new Shape(-1));
}
