@echo off
rem Starts the planner from this folder; the first start installs it here, without a network.
rem   run init --sample my-sample
rem   run run my-sample\config.yaml --out plan
setlocal
set "here=%~dp0"
if exist "%here%env\Scripts\planner.exe" goto start
set "python=py -{PYTHON}"
%python% -c "import sys" >nul 2>nul
if errorlevel 1 set "python=python"
%python% -c "import sys; sys.exit('%%d.%%d' %% sys.version_info[:2] != '{PYTHON}')" >nul 2>nul
if errorlevel 1 (
  echo Python {PYTHON} is needed and was not found. Install it, then start run.bat again. 1>&2
  exit /b 2
)
echo Installing into %here%env (once, without a network) ... 1>&2
if exist "%here%env" rmdir /s /q "%here%env"
%python% -m venv "%here%env"
if errorlevel 1 goto failed
"%here%env\Scripts\python" -m pip install --quiet --disable-pip-version-check --no-index --find-links "%here%wheels" --constraint "%here%constraints.txt" land-consolidation-planner
if errorlevel 1 goto failed
echo Compiling the search (once, about a minute) ... 1>&2
"%here%env\Scripts\python" -c "from planner.optimise.warm import main; main()"
if errorlevel 1 goto failed
:start
"%here%env\Scripts\planner" %*
exit /b %errorlevel%
:failed
echo The installation failed; see the lines above. 1>&2
rmdir /s /q "%here%env" 2>nul
exit /b 1
