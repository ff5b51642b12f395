using Puna.Cli.Hosting;

return CliHost.Main(args);
