using Puna.Cli.Hosting;

return CliHost.RunProcess(args);
