using BenchmarkDotNet.Running;
using Puna.Bench.Quantization;

switch (args)
{
    case ["dequantize", .. var types]:
        return DequantizeReport.Run(types);
    case ["quantize", .. var types]:
        return QuantizeReport.Run(types);
    default:
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
        return 0;
}
