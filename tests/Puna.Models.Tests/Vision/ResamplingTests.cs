using Puna.Models.Vision;

namespace Puna.Models.Tests.Vision;

public class ResamplingTests
{
    // Spec llama4.md 4.9: the same in Pillow and torchvision.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ARowBecomesWhatTheLibrariesMakeOfIt(bool isPillow)
    {
        byte[] row = Grey(0, 100, 200, 50, 250, 10, 90);
        Assert.Equal(Grey(86, 133, 90), Resampling.Resize(row, 1, 7, 1, 3, isPillow));
        Assert.Equal(Grey(52, 138, 146, 63), Resampling.Resize(row, 1, 7, 1, 4, isPillow));
        Assert.Equal(Grey(0, 55, 125, 195, 102, 120, 238, 70, 46, 90), Resampling.Resize(row, 1, 7, 1, 10, isPillow));
        Assert.Equal(Grey(86, 133, 90), Resampling.Resize(row, 7, 1, 3, 1, isPillow));
        Assert.Equal(row, Resampling.Resize(row, 1, 7, 1, 7, isPillow));
    }

    [Theory]
    [InlineData(64, 48, 17, 31)]
    [InlineData(5, 9, 28, 28)]
    [InlineData(200, 40, 112, 22)]
    [InlineData(3, 1000, 7, 28)]
    [InlineData(1, 1, 9, 4)]
    public void BothLibrariesAreWithinOneAndAHalfStepsOfRealArithmetic(int height, int width, int newHeight, int newWidth)
    {
        var random = new Random(4);
        var pixels = new byte[height * width * 3];
        random.NextBytes(pixels);
        double[] exact = Exact(pixels, height, width, newHeight, newWidth);
        foreach (bool isPillow in (bool[])[true, false])
        {
            byte[] resized = Resampling.Resize(pixels, height, width, newHeight, newWidth, isPillow);
            Assert.Equal(exact.Length, resized.Length);
            for (int i = 0; i < exact.Length; i++)
            {
                // Half a step for each of the two roundings, and what the weights' own rounding adds.
                Assert.InRange(resized[i], exact[i] - 1.5, exact[i] + 1.5);
            }
        }
    }

    [Fact]
    public void AConstantPictureStaysConstantAtAnySize()
    {
        foreach (byte value in (byte[])[0, 1, 128, 254, 255])
        {
            var pixels = new byte[50 * 41 * 3];
            pixels.AsSpan().Fill(value);
            for (int size = 1; size < 120; size += 7)
            {
                Assert.All(Resampling.Resize(pixels, 50, 41, size, 121 - size, isPillow: true), v => Assert.Equal(value, v));
            }
        }
    }

    private static byte[] Grey(params byte[] values) => [.. values.SelectMany(v => new[] { v, v, v })];

    /// <summary>The definition: a triangle, widened where the picture shrinks, over both axes.</summary>
    private static double[] Exact(byte[] pixels, int height, int width, int newHeight, int newWidth)
    {
        var result = new double[newHeight * newWidth * 3];
        for (int y = 0; y < newHeight; y++)
        {
            double[] down = Weights(height, newHeight, y);
            for (int x = 0; x < newWidth; x++)
            {
                double[] across = Weights(width, newWidth, x);
                for (int i = 0; i < height; i++)
                {
                    for (int j = 0; down[i] > 0 && j < width; j++)
                    {
                        for (int c = 0; c < 3; c++)
                        {
                            result[(((y * newWidth) + x) * 3) + c] += down[i] * across[j] * pixels[(((i * width) + j) * 3) + c];
                        }
                    }
                }
            }
        }

        return result;
    }

    private static double[] Weights(int size, int newSize, int output)
    {
        double scale = (double)size / newSize;
        double support = Math.Max(scale, 1);
        double[] weights = [.. Enumerable.Range(0, size).Select(j => Math.Max(0, 1 - (Math.Abs(j + 0.5 - ((output + 0.5) * scale)) / support)))];
        return [.. weights.Select(w => w / weights.Sum())];
    }
}
