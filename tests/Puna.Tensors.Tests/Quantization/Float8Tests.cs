using Puna.Tensors.Quantization;

namespace Puna.Tensors.Tests.Quantization;

public sealed class Float8Tests
{
    [Theory]
    [InlineData(0x00, 0f)]
    [InlineData(0x01, 0.001953125f)]
    [InlineData(0x07, 0.013671875f)]
    [InlineData(0x08, 0.015625f)]
    [InlineData(0x38, 1f)]
    [InlineData(0x3F, 1.875f)]
    [InlineData(0x40, 2f)]
    [InlineData(0x7E, 448f)]
    [InlineData(0xB8, -1f)]
    [InlineData(0xFE, -448f)]
    public void CodesHaveThePublishedValues(byte code, float value) => Assert.Equal(value, Float8.FromE4M3(code));

    [Fact]
    public void OnlyTwoCodesAreNoNumbersAndTheOthersAscend()
    {
        Assert.True(float.IsNaN(Float8.FromE4M3(0x7F)) && float.IsNaN(Float8.FromE4M3(0xFF)));
        Assert.True(float.IsNegative(Float8.FromE4M3(0x80)));
        for (int code = 1; code < 0x7F; code++)
        {
            Assert.True(Float8.FromE4M3((byte)code) > Float8.FromE4M3((byte)(code - 1)));
            Assert.Equal(-Float8.FromE4M3((byte)code), Float8.FromE4M3((byte)(code + 128)));
        }
    }
}
