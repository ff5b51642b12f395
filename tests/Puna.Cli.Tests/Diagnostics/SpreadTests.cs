using Puna.Cli.Diagnostics;

namespace Puna.Cli.Tests.Diagnostics;

public class SpreadTests
{
    [Fact]
    public void TheMiddleOfAnOddNumberAndTheMeanOfTheTwoOfAnEven()
    {
        Assert.Equal(new Spread(2, 1, 3), Spread.Of([3, 1, 2]));
        Assert.Equal(new Spread(2.5, 1, 9), Spread.Of([9, 2, 3, 1]));
        Assert.Equal(new Spread(7, 7, 7), Spread.Of([7]));
    }
}
