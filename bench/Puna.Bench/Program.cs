using BenchmarkDotNet.Running;
using Puna.Bench.Experts;
using Puna.Bench.Kernels;
using Puna.Bench.Quantization;
using Puna.Bench.Text;
using Puna.Bench.Training;
using Puna.Bench.Vision;

switch (args)
{
    case ["dequantize", .. var types]:
        return DequantizeReport.Run(types);
    case ["quantize", .. var types]:
        return QuantizeReport.Run(types);
    case ["tokenizers", .. var options]:
        return TokenizerReport.Run(options);
    case ["tokenizer-training", .. var options]:
        return TrainingSpeedReport.Run(options);
    case ["attention", .. var options]:
        return AttentionReport.Run(options);
    case ["experts", .. var options]:
        return ExpertsReport.Run(options);
    case ["pictures", .. var options]:
        return PictureReport.Run(options);
    case ["training", .. var options]:
        return TrainingReport.Run(options);
    case ["threads"]:
        return ThreadsReport.Run();
    default:
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
        return 0;
}
