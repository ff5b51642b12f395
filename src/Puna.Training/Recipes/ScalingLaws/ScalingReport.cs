using System.Globalization;
using System.Text;
using System.Text.Json;
using Puna.Formats;
using Puna.Training.Plots;
using Puna.Training.Scaling;

namespace Puna.Training.Recipes.ScalingLaws;

/// <summary>Writes what came of a grid of runs: <c>scaling.json</c>, <c>scaling.svg</c>, <c>scaling.png</c>, <c>README.md</c>.</summary>
internal static class ScalingReport
{
    private const int CurvePoints = 100;

    /// <summary>Writes the files, each complete or not at all.</summary>
    /// <returns>A few lines for the screen.</returns>
    public static string Write(string output, ScalingResult result)
    {
        LineChart chart = Chart(result);
        using var files = new StagedFiles();
        files.Create(Path.Combine(output, "scaling.json")).Write(JsonSerializer.SerializeToUtf8Bytes(result, ScalingJson.Default.ScalingResult));
        files.Create(Path.Combine(output, "scaling.svg")).Write(chart.ToSvg());
        files.Create(Path.Combine(output, "scaling.png")).Write(chart.ToPng());
        files.Create(Path.Combine(output, "README.md")).Write(Encoding.UTF8.GetBytes(Markdown(result)));
        files.Commit();
        return Summary(result);
    }

    private static string Summary(ScalingResult result) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Law(result.Prediction.Law)}\n{result.Target.N:N0} parameters, {result.Target.D:N0} tokens: predicted {result.Prediction.Loss:F4}, measured {result.Target.Loss:F4} ({100 * result.Error:+0.00;-0.00} %)");

    private static string Law(ScalingLaw law) =>
        string.Create(CultureInfo.InvariantCulture, $"L(N, D) = {law.E:F3} + {law.A:G4} / N^{law.Alpha:F3} + {law.B:G4} / D^{law.Beta:F3}");

    /// <summary>Measured losses over operations, a line for each model; below them what the law gives the best model of each budget.</summary>
    private static LineChart Chart(ScalingResult result)
    {
        var chart = new LineChart("Small runs and what they predict", "operations (6 N D)", "held-out loss (nats per token)") { LogX = true };
        foreach (IGrouping<int?, ScalingRun> model in result.Prediction.Runs.GroupBy(static r => r.Model))
        {
            chart.Add(new ChartSeries(
                string.Create(CultureInfo.InvariantCulture, $"{model.First().N:N0} parameters"), [.. model.OrderBy(static r => r.D).Select(static r => new ChartPoint(r.Flops, r.Loss))]));
        }

        double first = result.Prediction.Runs.Min(static r => r.Flops), last = Math.Max(result.Target.Flops, result.Prediction.Runs.Max(static r => r.Flops));
        var frontier = new ChartPoint[CurvePoints];
        for (int i = 0; i < CurvePoints; i++)
        {
            double flops = first * Math.Pow(last / first, (double)i / (CurvePoints - 1));
            (double n, double d) = result.Prediction.Law.Optimum(flops);
            frontier[i] = new(flops, result.Prediction.Law.Loss(n, d));
        }

        return chart.Add(new ChartSeries("best by the law", frontier, ChartStyle.Dashed))
            .Add(new ChartMarker("predicted", new(result.Target.Flops, result.Prediction.Loss)))
            .Add(new ChartMarker("measured", new(result.Target.Flops, result.Target.Loss)));
    }

    private static string Markdown(ScalingResult result)
    {
        ScalingPrediction p = result.Prediction;
        var text = new StringBuilder("# Scaling law\n\nFitted to small runs by `puna train scaling`; the larger run was predicted before it was trained (`prediction.json`).\n\n");
        text.Append(CultureInfo.InvariantCulture, $"    {Law(p.Law)}\n\n");
        text.Append("| constant | value | nine of ten resamples |\n| --- | --- | --- |\n");
        Constant("E", p.Law.E, "e");
        Constant("A", p.Law.A, "a");
        Constant("alpha", p.Law.Alpha, "alpha");
        Constant("B", p.Law.B, "b");
        Constant("beta", p.Law.Beta, "beta");
        Constant("best N grows with operations to the power of", p.Law.ParametersExponent, "parameters_exponent");
        text.Append(CultureInfo.InvariantCulture, $"\nThe mean error of the fit is {100 * p.FitError:F2} %.\n\n| run | N | D | operations | held-out loss | by the law |\n| --- | --- | --- | --- | --- | --- |\n");
        foreach (ScalingRun run in p.Runs.Append(result.Target))
        {
            text.Append(CultureInfo.InvariantCulture, $"| {run.Name} | {run.N:N0} | {run.D:N0} | {run.Flops:0.00e0} | {run.Loss:F4} | {p.Law.Loss(run.N, run.D):F4} |\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"\nThe target was predicted at {p.Loss:F4}");
        text.Append(p.Interval is ScalingInterval i ? string.Create(CultureInfo.InvariantCulture, $" ({i.Low:F4} to {i.High:F4} in nine of ten resamples)") : "");
        text.Append(CultureInfo.InvariantCulture, $" and came out at {result.Target.Loss:F4}: the prediction is off by {100 * result.Error:+0.00;-0.00} %.\n");
        text.Append(CultureInfo.InvariantCulture, $"With as many operations the law thinks {p.BestN:N0} parameters and {p.BestD:N0} tokens best, for a loss of {p.BestLoss:F4}.\n");
        text.Append("N counts the matrices of the blocks and the output layer, not the lookup of an embedding of its own and not norms.\n\n![losses](scaling.svg)\n");
        return text.ToString();

        void Constant(string name, double value, string key) => text.Append(
            CultureInfo.InvariantCulture,
            $"| {name} | {value:G4} | {(p.Intervals.TryGetValue(key, out ScalingInterval interval) ? string.Create(CultureInfo.InvariantCulture, $"{interval.Low:G4} to {interval.High:G4}") : "not drawn")} |\n");
    }
}
